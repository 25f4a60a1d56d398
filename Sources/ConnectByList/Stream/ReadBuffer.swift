import CConnectByListPosix
import ConnectByListCore

/// Bytes that came and were not read yet.
///
/// No memory until the first byte comes. How much more than a read needs it asks the kernel for
/// follows the stream: twice as much when the kernel had all of that, half as much when it had little
/// or nothing, and memory far beyond that is let go of when it is empty. A reader looks ahead from `start` and moves it only when the whole read
/// succeeded, so a read that fails or times out has taken nothing.
struct ReadBuffer: ~Copyable {
  /// Where the first byte not read stands. Whoever takes bytes moves it; the memory stays as it is
  /// until the next `room` or `trim`.
  var start = 0
  private(set) var end = 0
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// How much is asked for where no read needs more.
  private var ahead: Int32 = ReadBuffer.aheadMin

  /// What a line reader gets with the first call of the kernel.
  static let aheadMin: Int32 = 8 * 1024
  /// Blocks of 64 KiB are read 5 % faster with calls of 256 KiB than with calls of their own size: the
  /// kernel acknowledges less often (Linux 6.18, loopback). Another 2 % for twice as much would leave
  /// no room for anything else in a processor's second cache.
  static let aheadMax: Int32 = 256 * 1024

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
    let newline = Int(cbl_posix_find_byte(bytes.baseAddress, bytes.count, CInt(UInt8(ascii: "\n"))))
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
    if memory.count < needed || memory.count < Int(ahead) {
      // Twice as much each time: a long line is copied a bounded number of times over.
      let capacity = max(needed, Int(ahead), memory.count < needed ? memory.count * 2 : 0)
      let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
      if count > 0 { larger.copyMemory(from: bytes) }
      memory.deallocate()
      memory = larger
      moved()
    } else if memory.count - start < needed || start > 0 && memory.count - end < memory.count / 2 {
      UnsafeMutableRawBufferPointer(rebasing: memory[0..<count]).copyMemory(from: bytes)
      moved()
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
  }

  private mutating func moved() {
    end = count
    start = 0
  }

  /// `added` bytes were put into the room.
  mutating func grew(by added: Int) {
    end += added
    if end == memory.count {
      ahead = Int32(min(2 * max(Int(ahead), memory.count), Int(Self.aheadMax)))
    } else if 4 * added < Int(ahead) {
      ahead = max(ahead / 2, Self.aheadMin)
    }
  }

  /// The kernel has nothing.
  mutating func rest() {
    ahead = max(ahead / 2, Self.aheadMin)
    trim()
  }

  /// Lets go of memory that only one large read needed, or a stream that has dried up.
  mutating func trim() {
    guard count == 0, memory.count > 2 * Int(ahead) else { return }
    memory.deallocate()
    memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    start = 0
    end = 0
  }

  /// How much memory it has.
  var capacity: Int { memory.count }
}
