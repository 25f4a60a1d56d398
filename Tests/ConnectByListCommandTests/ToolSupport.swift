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
    _ = Syscalls.poll(listener.number, events: 1, for: .seconds(20))
    guard let descriptor = try Syscalls.accept(listener.number) else { return }
    var socket = Socket(descriptor)
    socket.timeout = .seconds(20)
    received = try socket.readAll()
    try socket.write(answer)
    try socket.close()
  }
}
