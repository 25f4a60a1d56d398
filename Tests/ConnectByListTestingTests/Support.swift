import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Glibc

/// A connected socket. An array can hold it.
final class Client {
  var socket: Socket

  init(of endpoint: TestEndpoint, timeout: TimeSpan = .seconds(20)) throws {
    var options = ConnectOptions()
    options.timeout = timeout
    socket = try connectByList(AddressList([endpoint.endpoint.text]), options: options)
    // A test must not hang.
    socket.timeout = .seconds(10)
  }
}

/// What a call throws; `nil`: nothing. Swift Testing's macros cannot capture noncopyable values.
func thrown(by body: () throws(Errno) -> Void) -> Errno? {
  do throws(Errno) { try body() } catch { return error }
  return nil
}

/// The numbers of all open descriptors of this process.
func openDescriptors() -> [CInt] { (0..<4096).filter { fcntl($0, F_GETFD) >= 0 } }
