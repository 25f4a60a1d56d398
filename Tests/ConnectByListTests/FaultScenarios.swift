import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

/// Something that a program does with the library. `prepare` makes its endpoints, without faults; what that
/// returns is then done with them.
struct FaultScenario {
  let name: String
  /// The errors that its own endpoints and checks give when the fault has taken the good one away.
  var ownErrors: [CInt] = []
  /// What it takes where everything waits for its end.
  var longest = deadline
  let prepare: () throws -> () throws -> Void

  /// What bounds each connect and each read: a scenario that has a silent endpoint often ends there.
  static let deadline = TimeSpan.milliseconds(150)

  static var all: [FaultScenario] {
    [
      FaultScenario(name: "one") {
        let peer = try TestEndpoint(.echo)
        return { _ = try connect(peer.endpoint, with: quick()) }
      },
      FaultScenario(name: "one whose handshake lasts") {
        let peer = try TestEndpoint(.echo)
        return {
          cbl_posix_set_fault(CBL_POSIX_CALL_GETPEERNAME, 1, 1, ENOTCONN)
          _ = try connect(peer.endpoint, with: quick())
        }
      },
      FaultScenario(name: "refused, then one", ownErrors: [ECONNREFUSED]) {
        let refused = try TestEndpoint(.refused)
        let peer = try TestEndpoint(.echo)
        return { _ = try connect(refused.endpoint, peer.endpoint, with: quick()) }
      },
      FaultScenario(name: "silent, then one", ownErrors: [ETIMEDOUT]) {
        let silent = try TestEndpoint(.silent)
        let peer = try TestEndpoint(.echo)
        return { _ = try connect(silent.endpoint, peer.endpoint, with: quick()) }
      },
      FaultScenario(name: "all at once", ownErrors: [ETIMEDOUT]) {
        let silent = try TestEndpoint(.silent)
        let refused = try TestEndpoint(.refused)
        let peer = try TestEndpoint(.echo)
        return {
          _ = try connect(
            silent.endpoint, refused.endpoint, peer.endpoint, with: quick { $0.pace = .parallel })
        }
      },
      FaultScenario(name: "the likeliest first") {
        let peers = try (0..<3).map { _ in try TestEndpoint(.echo) }
        return {
          _ = try connect(list(peers.map { $0.endpoint }), with: quick { $0.order = .likely })
        }
      },
      FaultScenario(name: "IPv6") {
        let peer = try TestEndpoint(.echo, at: .loopbackV6)
        return { _ = try connect(peer.endpoint, with: quick()) }
      },
      FaultScenario(name: "a name") {
        let peer = try TestEndpoint(.echo)
        return {
          var list = AddressList()
          list.append(
            .name(HostName(host: Array("localhost".utf8), port: .number(peer.endpoint.port))))
          _ = try connect(list, with: quick())
        }
      },
      FaultScenario(name: "a source") {
        let peer = try TestEndpoint(.echo)
        return {
          _ = try connect(
            peer.endpoint, with: quick { $0.locals = .these([Endpoint(.loopback(9), port: 0)]) })
        }
      },
      FaultScenario(name: "a descriptor that cancels", longest: .milliseconds(50)) {
        let silent = try TestEndpoint(.silent)
        let event = try EventHandle()
        return {
          var request = quick { $0.timeout = .milliseconds(50) }
          request.cancelDescriptor = event.number
          do {
            _ = try connect(list(silent.endpoint, silent.endpoint), with: request)
          } catch let error as ConnectError where error.errno == .timedOut {}
        }
      },
      FaultScenario(name: "a caller's socket") {
        let peer = try TestEndpoint(.echo)
        return {
          var socket = try Socket(.inet6)
          var list = list(peer.endpoint)
          try socket.connect(&list, quick())
        }
      },
      FaultScenario(name: "a check", ownErrors: [ECONNABORTED]) {
        let peers = try (0..<2).map { _ in try TestEndpoint(.echo) }
        return {
          let operation = try Operation(
            list(peers.map { $0.endpoint }), quick { $0.validates = true })
          var progress = operation.advance()
          var isFirst = true
          while true {
            switch progress {
            case .pending: progress = operation.waitAndAdvance()
            case .validate(let id):
              if isFirst { operation.reject(id) } else { operation.accept(id) }
              isFirst = false
              progress = operation.advance()
            case .finished(.won): return
            case .finished(.lost(let errno, _)): throw errno
            case .finished(.cancelled): throw Errno.cancelled
            }
          }
        }
      },
      FaultScenario(name: "an event loop", ownErrors: [ETIMEDOUT]) {
        let silent = try TestEndpoint(.silent)
        let peer = try TestEndpoint(.echo)
        return {
          let operation = try Operation(list(silent.endpoint, peer.endpoint), quick())
          _ = try operation.pollDescriptor()
          switch operation.run() {
          case .won: return
          case .lost(let errno, _): throw errno
          case .cancelled: throw Errno.cancelled
          }
        }
      },
      FaultScenario(name: "a dialogue", longest: deadline * 2) {
        let peer = try TestEndpoint(.echo)
        return {
          let connection = try connect(peer.endpoint, with: quick())
          connection.socket.timeout = deadline
          try connection.write("hello\n")
          guard try connection.readLine() == "hello" else { throw Unexpected() }
        }
      },
      FaultScenario(name: "buffered writes", longest: deadline * 2) {
        let peer = try TestEndpoint(.echo)
        return {
          let connection = try connect(peer.endpoint, with: quick())
          connection.socket.timeout = deadline
          try connection.socket.setBuffering(.full, size: 4096)
          for _ in 0..<10 { try connection.write("0123456789\n") }
          try connection.socket.flush()
          for _ in 0..<10 where try connection.readLine() != "0123456789" { throw Unexpected() }
          try connection.socket.close()
        }
      },
      FaultScenario(name: "the end of a stream", longest: deadline * 3) {
        let peer = try TestEndpoint(.echo)
        return {
          let connection = try connect(peer.endpoint, with: quick())
          connection.socket.timeout = deadline
          try connection.write("tail")
          try connection.socket.shutdown(how: 1)
          guard try connection.readLine() == "tail" else { throw Unexpected() }
          guard try connection.readLine() == nil else { throw Unexpected() }
        }
      },
      FaultScenario(name: "a wrapped descriptor", longest: deadline * 2) {
        let peer = try TestEndpoint(.echo)
        return {
          let connection = try connect(peer.endpoint, with: quick())
          let descriptor = connection.socket.detach()
          let number = descriptor.number
          var socket = try Socket(wrapping: number)
          _ = descriptor.release()
          socket.timeout = deadline
          try write("again\n", to: &socket)
          guard try readLine(from: &socket) == "again" else { throw Unexpected() }
        }
      },
    ]
  }
}

/// A request that ends soon.
private func quick(_ change: (inout ConnectOptions) -> Void = { _ in }) -> ConnectRequest {
  request(timeout: FaultScenario.deadline) {
    $0.attemptDelay = .milliseconds(10)
    change(&$0)
  }
}

final class EventHandle {
  private let descriptor: Descriptor
  var number: CInt { descriptor.number }
  init() throws(Errno) { descriptor = try Syscalls.eventDescriptor() }
}
