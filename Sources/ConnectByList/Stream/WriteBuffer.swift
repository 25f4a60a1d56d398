import CConnectByListPosix

/// Writes that wait to be sent together, where `setvbuf` asked for it.
public struct WriteBuffer: Sendable {
  public enum Mode: Sendable {
    /// Every write goes out at once.
    case none
    /// When the buffer is full, or flushed.
    case full
    /// The same, and after a write that ends a line.
    case line
  }

  /// The largest buffer that `setvbuf` may ask for.
  public static let sizeMax = 16 << 20
  public static let sizeDefault = 8 * 1024

  private var size = WriteBuffer.sizeDefault
  private var bytes: [UInt8] = []
  /// Where the first byte that waits stands. What is before was sent, a part of what a peer that
  /// reads slowly will take: to move all the rest up each time would cost more than the sending.
  private var start = 0
  private(set) var mode = Mode.none

  init() {}

  var count: Int { bytes.count - start }

  /// The bytes that wait. The pointer is good until the buffer is changed.
  var slice: cbl_posix_slice {
    bytes.withUnsafeBytes { cbl_posix_slice(bytes: $0.baseAddress.map { $0 + start }, count: count) }
  }

  mutating func set(_ mode: Mode, size: Int) {
    self.mode = mode
    self.size = size
    if mode == .none {
      bytes = []
      start = 0
    }
  }

  /// Takes all the slices in where they fit; false where they do not, or where a line has ended and
  /// is to be sent with them.
  mutating func take(_ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int) -> Bool {
    var total = 0
    var endsLine = false
    for slice in slices {
      total += slice.count
      let text = UnsafeRawBufferPointer(start: slice.bytes, count: slice.count)
      if mode == .line && text.contains(UInt8(ascii: "\n")) { endsLine = true }
    }
    guard !endsLine, count + total <= size else { return false }
    if start > count {
      bytes.removeFirst(start)
      start = 0
    }
    for slice in slices {
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: slice.bytes, count: slice.count))
    }
    written += total
    return true
  }

  mutating func removeFirst(_ sent: Int) {
    start += sent
    guard start == bytes.count else { return }
    bytes.removeAll(keepingCapacity: true)
    start = 0
  }
}
