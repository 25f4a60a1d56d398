import CPosix

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

  private(set) var mode = Mode.none
  private var size = WriteBuffer.sizeDefault
  /// What waits to be sent.
  private(set) var bytes: [UInt8] = []

  init() {}

  var count: Int { bytes.count }

  /// The bytes that wait. The pointer is good until the buffer is changed.
  var slice: cbl_slice {
    bytes.withUnsafeBytes { cbl_slice(bytes: $0.baseAddress, count: $0.count) }
  }

  mutating func set(_ mode: Mode, size: Int) {
    self.mode = mode
    self.size = size
    if mode == .none { bytes = [] }
  }

  /// Takes all the slices in where they fit; false where they do not, or where a line has ended and
  /// is to be sent with them.
  mutating func take(_ slices: UnsafeMutableBufferPointer<cbl_slice>, written: inout Int) -> Bool {
    var total = 0
    var endsLine = false
    for slice in slices {
      total += slice.count
      let text = UnsafeRawBufferPointer(start: slice.bytes, count: slice.count)
      if mode == .line && text.contains(UInt8(ascii: "\n")) { endsLine = true }
    }
    guard !endsLine, bytes.count + total <= size else { return false }
    for slice in slices {
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: slice.bytes, count: slice.count))
    }
    written += total
    return true
  }

  mutating func removeFirst(_ count: Int) { bytes.removeFirst(count) }
}
