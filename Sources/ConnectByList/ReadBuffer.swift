import CPosix
import ConnectCore

/// Bytes that came and were not read yet.
///
/// No memory until the first byte comes; grows with what a read needs, and lets go of a large
/// buffer when it is empty. A reader looks ahead from `start` and moves it only when the whole read
/// succeeded, so a read that fails or times out has taken nothing.
struct ReadBuffer: ~Copyable {
  /// Where the first byte not read stands. Whoever takes bytes moves it; the memory stays as it is
  /// until the next `room` or `trim`.
  var start = 0
  private(set) var end = 0
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// What a line reader gets with one call of the kernel.
  private static let initialCapacity = 8 * 1024
  /// A larger buffer is not kept while it is empty.
  private static let keptCapacity = 128 * 1024

  init() {}

  deinit { memory.deallocate() }

  /// How many bytes are there.
  var count: Int { end - start }

  /// The bytes that are there. Valid until the next call that changes the buffer.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[start..<end])
  }

  /// Takes a line that is there as a whole; without its end, and valid as `bytes` is.
  mutating func takeLine() -> UnsafeRawBufferPointer? {
    let bytes = bytes
    let newline = Int(cbl_find_byte(bytes.baseAddress, bytes.count, CInt(UInt8(ascii: "\n"))))
    guard newline >= 0 else { return nil }
    start += newline + 1
    return UnsafeRawBufferPointer(rebasing: bytes[..<newline])
  }

  /// Room for at least one more byte, and for `wanted` bytes in all.
  mutating func room(for wanted: Int) -> UnsafeMutableRawBufferPointer {
    if count == 0 {
      start = 0
      end = 0
    }
    let needed = max(wanted, count + 1)
    if memory.count - start < needed || memory.count == 0 {
      if memory.count < needed || memory.count == 0 {
        // Twice as much each time: a long line is copied a bounded number of times over.
        let capacity = max(
          Self.initialCapacity, needed, count >= memory.count / 2 ? memory.count * 2 : 0)
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        if count > 0 { larger.copyMemory(from: bytes) }
        memory.deallocate()
        memory = larger
      } else {
        UnsafeMutableRawBufferPointer(rebasing: memory[0..<count]).copyMemory(from: bytes)
      }
      end = count
      start = 0
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
  }

  /// `added` bytes were put into the room.
  mutating func grew(by added: Int) { end += added }

  /// Lets go of memory that only one large read needed.
  mutating func trim() {
    guard count == 0, memory.count > Self.keptCapacity else { return }
    memory.deallocate()
    memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    start = 0
    end = 0
  }
}
