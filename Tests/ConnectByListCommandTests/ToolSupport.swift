import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Foundation

/// A port on loopback that refuses connections until it listens.
final class LateListener: @unchecked Sendable {
  private let descriptor: Descriptor
  let endpoint: Endpoint

  init() throws {
    let bound = try Syscalls.socket(.inet)
    try Syscalls.bind(bound.number, to: Endpoint(IPAddress(v4: 0x7f00_0001), port: 0))
    endpoint = try Syscalls.localEndpoint(bound.number)!
    descriptor = bound
  }

  /// The kernel accepts connections from then on.
  func listen(after seconds: Double) {
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [self] in
      try? Syscalls.listen(descriptor.number, backlog: 8)
    }
  }
}

/// A peer on loopback that takes one connection, reads to its end and keeps what came.
final class Collector: @unchecked Sendable {
  private let listener: Descriptor
  let endpoint: Endpoint
  private let answer: [UInt8]
  private let ended = DispatchSemaphore(value: 0)
  private var received: [UInt8] = []

  /// - Parameter answer: what it sends when the other side has ended, before it closes.
  init(answer: [UInt8]) throws {
    let bound = try Syscalls.socket(.inet)
    try Syscalls.bind(bound.number, to: Endpoint(IPAddress(v4: 0x7f00_0001), port: 0))
    try Syscalls.listen(bound.number, backlog: 1)
    endpoint = try Syscalls.localEndpoint(bound.number)!
    listener = bound
    self.answer = answer
    Thread.detachNewThread { [self] in
      try? serve()
      ended.signal()
    }
  }

  /// What came, once the other side has ended; `nil` where that takes more than 20 s.
  func collected() -> [UInt8]? {
    ended.wait(timeout: .now() + 20) == .success ? received : nil
  }

  private func serve() throws {
    _ = try? Syscalls.poll(listener.number, events: 1, for: .seconds(20))
    guard let descriptor = try Syscalls.accept(listener.number) else { return }
    var socket = Socket(descriptor)
    socket.timeout = .seconds(20)
    received = try socket.readAll()
    try socket.write(answer)
    try socket.close()
  }
}

/// A peer on loopback that takes one connection, reads what is there, sends text, waits until it has been taken and
/// resets the connection.
final class Resetter: @unchecked Sendable {
  private let listener: Descriptor
  let endpoint: Endpoint
  private let text: String

  init(sending text: String) throws {
    let bound = try Syscalls.socket(.inet)
    try Syscalls.bind(bound.number, to: Endpoint(IPAddress(v4: 0x7f00_0001), port: 0))
    try Syscalls.listen(bound.number, backlog: 1)
    endpoint = try Syscalls.localEndpoint(bound.number)!
    listener = bound
    self.text = text
    Thread.detachNewThread { [self] in try? serve() }
  }

  private func serve() throws {
    _ = try? Syscalls.poll(listener.number, events: 1, for: .seconds(20))
    guard let descriptor = try Syscalls.accept(listener.number) else { return }
    let number = descriptor.number
    var socket = Socket(descriptor)
    socket.timeout = .seconds(20)
    try socket.write(text)
    // The other side ends its direction; by then it has been woken up by the text too.
    _ = try socket.readAll()
    Thread.sleep(forTimeInterval: 0.2)
    // SO_LINGER of 0 s makes close send a reset: SOL_SOCKET 1, SO_LINGER 13.
    var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
    setsockopt(number, 1, 13, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    try socket.close()
  }
}
