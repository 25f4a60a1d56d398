import ConnectByListCore

/// Received bytes that no read has taken yet.
///
/// The memory is allocated when the first bytes are received. How many bytes `recv` is offered room for, beyond
/// what a read needs, follows the stream: it doubles when the kernel fills all of it, and halves when the
/// kernel has little or nothing. An empty buffer that is much larger than that is freed. A reader looks at
/// `bytes` and moves `start` only when the whole read has succeeded, so a read that fails or times out
/// consumes nothing.
struct ReadBuffer: ~Copyable {
  /// The offset of the first byte that was not read. A reader moves it to take bytes; their memory stays
  /// valid until the next `room` or `trim`.
  var start = 0 {
    didSet { scanned = 0 }
  }
  private(set) var end = 0
  /// All bytes that were ever received into it.
  private(set) var receivedCount = 0
  /// How many of the unread bytes were searched for a newline already, and have none.
  var scanned = 0
  private var memory = RawMemory()

  /// How many bytes `recv` is offered room for where no read needs more.
  private var ahead: Int32 = ReadBuffer.aheadMin

  /// Enough for many lines in the first `recv`.
  static let aheadMin: Int32 = 8 * 1024
  /// A quarter of the processor's second-level cache, 64 to 256 KiB; 128 KiB where its size is not known.
  ///
  /// Blocks of 64 KiB are read 3 to 9 % faster with `recv` of 256 KiB than of 64 KiB, because the kernel acknowledges
  /// less often (Linux 6.18, loopback, 1 MiB of cache; 128 and 192 KiB lie between). What is read passes through the
  /// cache twice, in the buffer and in the caller's copy: where both do not fit, 256 KiB were slower than cqueues'
  /// 64 KiB (0.79).
  static let aheadMax = Int32(aheadMax(cache: Syscalls.secondLevelCacheSize))

  static func aheadMax(cache: Int) -> Int {
    cache > 0 ? min(max(cache / 4, 64 * 1024), 256 * 1024) : 128 * 1024
  }

  init() {}

  /// The number of bytes that were not read.
  var count: Int { end - start }

  /// The bytes that were not read. Valid until the next call that changes the buffer.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory.bytes)[start..<end])
  }

  /// The memory that is allocated, in bytes.
  var capacity: Int { memory.count }

  /// Takes a line that is there as a whole, without its end; `nil` where none is, or it is longer than `max`.
  /// Valid as `bytes` is.
  mutating func takeLine(max: Int) -> UnsafeRawBufferPointer? {
    let bytes = bytes
    guard let newline = bytes.firstIndex(ofByte: UInt8(ascii: "\n")), newline <= max else {
      return nil
    }
    start += newline + 1
    return UnsafeRawBufferPointer(rebasing: bytes[..<newline])
  }

  /// What is allocated for bytes that have not begun to arrive: a read may ask for 1 GiB of a peer that sends
  /// nothing. Beyond it the memory doubles with what has come.
  static let trustMax = 1 << 20

  /// Memory for at least one more byte, and for `wanted` bytes in all, as far as what has come so far makes
  /// it likely that they come. Throws `.outOfMemory`; the bytes that were not read are kept.
  mutating func room(for wanted: Int) throws(Errno) -> UnsafeMutableRawBufferPointer {
    if count == 0 {
      start = 0
      end = 0
    }
    let likely = min(wanted, max(2 * count, Self.trustMax))
    let needed = max(likely, count + 1)
    if memory.count < needed || memory.count < Int(ahead) {
      moveToFront()
      // Doubled, so that a long line is copied a logarithmic number of times.
      try memory.resize(
        to: max(needed, Int(ahead), memory.count < needed ? memory.count * 2 : 0))
    } else if memory.count - start < needed || start > 0 && memory.count - end < memory.count / 2 {
      moveToFront()
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory.bytes[end...])
  }

  private mutating func moveToFront() {
    if start > 0 && count > 0 {
      UnsafeMutableRawBufferPointer(rebasing: memory.bytes[0..<count]).copyMemory(from: bytes)
    }
    end = count
    start = 0
  }

  /// Records that `added` bytes were received into the room.
  mutating func didReceive(_ added: Int) {
    end += added
    receivedCount += added
    if end == memory.count {
      ahead = Int32(min(2 * max(Int(ahead), memory.count), Int(Self.aheadMax)))
    } else if 4 * added < Int(ahead) {
      ahead = max(ahead / 2, Self.aheadMin)
    }
  }

  /// Records that the kernel had no bytes.
  mutating func didReceiveNothing() {
    ahead = max(ahead / 2, Self.aheadMin)
    trim()
  }

  /// Frees the memory of an empty buffer that is much larger than the stream needs now.
  mutating func trim() {
    guard count == 0, memory.count > 2 * Int(ahead) else { return }
    memory.free()
    start = 0
    end = 0
  }
}
