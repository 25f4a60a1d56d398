import CConnectByListPosix
import ConnectByListCore

/// Written bytes that are sent together later. Off unless it is set, as by Lua's `setvbuf`.
public struct WriteBuffer: ~Copyable {
  public enum Mode: Sendable {
    /// Each write is sent at once.
    case none
    /// Sent when the buffer is full, flushed or closed.
    case full
    /// As `full`, and after each write that contains a newline.
    case line
  }

  /// The largest size that can be set: 16 MiB.
  public static let sizeMax = 16 << 20
  /// 8 KiB.
  public static let sizeDefault = 8 * 1024

  private var size = WriteBuffer.sizeDefault
  private var memory = RawMemory()
  /// The offset behind the last byte.
  private var end = 0
  /// The offset of the first byte that was not sent. A peer that reads slowly takes a part at a time, and
  /// moving the rest to the front each time would cost more than sending.
  private var start = 0
  private(set) var mode = Mode.none

  init() {}

  /// The number of bytes that were not sent.
  var count: Int { end - start }

  /// The bytes that were not sent. The pointer is valid until the buffer changes.
  var slice: cbl_posix_slice {
    cbl_posix_slice(
      bytes: memory.bytes.baseAddress.map { UnsafeRawPointer($0 + start) }, count: count)
  }

  /// To be called when the buffer is empty.
  mutating func set(_ mode: Mode, size: Int) {
    self.mode = mode
    self.size = size
    if mode == .none {
      memory.free()
      start = 0
      end = 0
    }
  }

  /// Copies all of the slices, and adds their bytes to `written`. Returns false, and copies nothing, where
  /// they do not fit, where there is no memory for them, and where they end a line that has to be sent.
  mutating func take(_ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int)
    -> Bool
  {
    var total = 0
    var endsLine = false
    for slice in slices {
      total += slice.count
      let text = UnsafeRawBufferPointer(start: slice.bytes, count: slice.count)
      if mode == .line && text.contains(UInt8(ascii: "\n")) { endsLine = true }
    }
    guard !endsLine, count + total <= size else { return false }
    if start > count {
      let unsent = UnsafeRawBufferPointer(
        rebasing: UnsafeRawBufferPointer(memory.bytes)[start..<end])
      memory.bytes.copyMemory(from: unsent)
      end = count
      start = 0
    }
    do throws(Errno) { try memory.reserve(end + total) } catch { return false }
    for slice in slices where slice.count > 0 {
      (memory.bytes.baseAddress! + end).copyMemory(from: slice.bytes, byteCount: slice.count)
      end += slice.count
    }
    written += total
    return true
  }

  /// Drops bytes that were sent.
  mutating func removeFirst(_ sent: Int) {
    start += sent
    guard start == end else { return }
    start = 0
    end = 0
  }
}
