import ConnectByListCore

/// Bytes in the order of their arrival, each chunk with the instant from which it may be sent.
struct ChunkQueue {
  private struct Chunk {
    var bytes: ArraySlice<UInt8>
    let due: Instant
  }

  private var chunks: [Chunk] = []
  /// The index of the first chunk; those before it are empty.
  private var first = 0
  private(set) var byteCount = 0

  var isEmpty: Bool { byteCount == 0 }

  /// When the first bytes may be sent; `nil` if there are none.
  var firstDue: Instant? { isEmpty ? nil : chunks[first].due }

  mutating func append(_ bytes: [UInt8], due: Instant) {
    guard !bytes.isEmpty else { return }
    chunks.append(Chunk(bytes: bytes[...], due: due))
    byteCount += bytes.count
  }

  /// Takes at most `limit` bytes of the first chunk. The queue must not be empty.
  mutating func takeFirst(_ limit: Int = .max) -> [UInt8] {
    let taken = Array(chunks[first].bytes.prefix(limit))
    chunks[first].bytes.removeFirst(taken.count)
    byteCount -= taken.count
    if chunks[first].bytes.isEmpty { first += 1 }
    // Moves the rest to the front when at least half of the array is used up, so a chunk is moved once
    // on average.
    if first * 2 >= chunks.count {
      chunks.removeFirst(first)
      first = 0
    }
    return taken
  }
}
