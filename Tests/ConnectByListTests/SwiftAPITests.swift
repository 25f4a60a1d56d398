import ConnectByListCore
import ConnectByListTesting
import Testing

@testable import ConnectByList

extension Driver {
  /// The functions for ordinary Swift programs.
  @Suite struct SwiftAPITests {
    @Test func `a list is made of texts, and the error names the malformed one`() throws {
      let list = try AddressList(
        ["192.0.2.1:80", "[fe80::1%lo]:80", "db.example.net:https", "db.example.net"],
        defaultPort: 7)
      #expect(list.count == 4)
      #expect(
        list[2]
          == .name(
            HostName(host: Array("db.example.net".utf8), port: .service(Array("https".utf8)))))
      let error = #expect(throws: AddressListError.self) {
        try AddressList(["192.0.2.1:80", "127.1:80"])
      }
      #expect(error?.index == 1 && error?.text == "127.1:80")
      #expect("\(error!)".hasPrefix("entry 1, '127.1:80': a host that ends in a number"))
    }

    @Test func `W11 a connect throws the error, with the report`() throws {
      let refused = try TestEndpoint(.refused)
      let list = try AddressList([refused.endpoint.text])
      let error = #expect(throws: ConnectError.self) { _ = try connectByList(list).number }
      #expect(error?.errno == .connectionRefused)
      #expect(error?.report.outcomes == [.refused])
      #expect("\(error!)".hasPrefix("ECONNREFUSED: connection refused after "))
    }

    @Test func `a policy denies what it does not allow, and another entry wins`() throws {
      let peers = try [TestEndpoint(.echo), TestEndpoint(.echo)]
      let list = try AddressList(peers.map(\.endpoint.text))
      let policy = try EgressPolicy("allow 127.0.0.1:\(peers[1].endpoint.port)")
      var options = ConnectOptions()
      options.order = .given
      options.timeout = .seconds(5)
      var socket = try connectByList(list, options: options, policy: policy)
      #expect(try socket.remoteEndpoint() == peers[1].endpoint)
      #expect(peers[0].acceptedCount == 0)
      do throws(ConnectError) {
        _ = try connectByName("localhost", port: peers[0].endpoint.port, policy: policy)
        Issue.record("connected")
      } catch { #expect(error.errno == .accessDenied) }
      do throws(ConnectError) {
        let noNames = try! EgressPolicy("deny names")
        _ = try connectByName("localhost", port: peers[1].endpoint.port, policy: noNames)
        Issue.record("connected")
      } catch { #expect(error.errno == .accessDenied) }
      #expect(
        "\(#expect(throws: EgressPolicyError.self) { try EgressPolicy("deny 127.1") }!)".contains(
          "'127.1'"))
    }

    @Test func `W09 W16 the deadline is the options'`() throws {
      let silent = try TestEndpoint(.silent)
      var list = try AddressList([silent.endpoint.text])
      var options = ConnectOptions()
      options.timeout = TimeSpan(.milliseconds(100))
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, options: options).number
      }
      #expect(error?.errno == .timedOut && error?.report.isDeadline == true)
      #expect(list.history[silent.endpoint]?.failureCount == 1)
    }

    @Test func `a socket reads and writes bytes and text`() throws {
      let echo = try TestEndpoint(.echo)
      var socket = try connectByList(try AddressList([echo.endpoint.text]))
      socket.timeout = .seconds(10)
      try socket.write("one\ntwo")
      try socket.write([0xff, 0x0a])
      try socket.shutdown(how: 1)
      let first = try socket.readLine()
      let some = try socket.read(3)
      let any = try socket.read(upTo: 1)
      let rest = try socket.readAll()
      let end = try socket.readLine()
      let none = try socket.read(1)
      #expect(first == "one" && some == Array("two".utf8) && any == [0xff] && rest == [0x0a])
      #expect(end == nil && none == nil)
    }

    @Test func `W27 connect by name takes a service`() throws {
      let echo = try TestEndpoint(.echo)
      var options = ConnectOptions()
      options.family = .inet
      let socket = try connectByName(
        "localhost", service: "\(echo.endpoint.port)", options: options)
      let isConnected = socket.isConnected
      #expect(isConnected)
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByName("127.1", service: "http").number
      }
      #expect(error?.errno == .invalidArgument)
    }

    @Test func `connect by name takes a port's number`() throws {
      let echo = try TestEndpoint(.echo)
      var socket = try connectByName(
        "127.0.0.1", port: echo.endpoint.port, options: request().options)
      let remote = try socket.remoteEndpoint()
      #expect(remote == echo.endpoint)
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByName("localhost", port: 0).number
      }
      #expect(error?.errno == .invalidArgument)
      #expect("\(error!)" == "EINVAL: port is 0")
    }

    @Test func `W08 without a timeout it ends when every pair has failed`() throws {
      let refused = try (0..<2).map { _ in try TestEndpoint(.refused) }
      let list = try AddressList(refused.map { $0.endpoint.text })
      let error = #expect(throws: ConnectError.self) { _ = try connectByList(list).number }
      #expect(error?.errno == .connectionRefused && error?.report.isDeadline == false)
    }

    @Test func `W21 the error is that of the attempt that failed last, the report has all`() throws
    {
      let refused = try (0..<2).map { _ in try TestEndpoint(.refused) }
      let list = try AddressList([
        refused[0].endpoint.text, "[::1]:9", refused[1].endpoint.text,
      ])
      var options = request().options
      // ::1 cannot be reached from 127.0.0.1.
      options.locals = .these([Endpoint(.loopback, port: 0)])
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(list, options: options).number
      }
      #expect(error?.errno == .connectionRefused)
      #expect(
        error?.report.attempts.map { $0.errno } == [
          .connectionRefused, .addressNotAvailable, .connectionRefused,
        ])
    }

    static let defects: [@Sendable (inout ConnectOptions) -> Void] = [
      { $0.timeout = .milliseconds(-1) }, { $0.attemptDelay = .milliseconds(9) },
      { $0.attemptDelay = .seconds(61) }, { $0.minimumDelay = .zero },
      { $0.attemptTimeout = .zero },
      { $0.hedge = .milliseconds(9) }, { $0.inFlight = 0 }, { $0.inFlight = 4097 },
    ]

    /// With `inFlight` 0 a connect would not end.
    @Test(arguments: defects.indices)
    func `W13 an option out of its range is an invalid argument`(_ index: Int) throws {
      let echo = try TestEndpoint(.echo)
      let list = try AddressList([echo.endpoint.text])
      var options = ConnectOptions()
      Self.defects[index](&options)
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(list, options: options).number
      }
      #expect(error?.errno == .invalidArgument)
      #expect(echo.acceptedCount == 0)
    }

    @Test func `options at the ends of their ranges are accepted`() throws {
      var options = ConnectOptions()
      #expect(options.defect == nil)
      options.timeout = .zero
      options.attemptDelay = .seconds(60)
      options.minimumDelay = .seconds(60)
      options.attemptTimeout = TimeSpan(nanoseconds: 1)
      options.hedge = .milliseconds(10)
      options.inFlight = 4096
      #expect(options.defect == nil)
    }

    @Test func `times convert in both directions, rounded up, and never trap`() {
      #expect(TimeSpan(.milliseconds(1500)) == .milliseconds(1500))
      #expect(TimeSpan(Duration(secondsComponent: 0, attosecondsComponent: 1)).nanoseconds == 1)
      #expect(TimeSpan(.seconds(Int64.max)) == .forever)
      #expect(Duration(.milliseconds(3)) == .milliseconds(3))
    }
  }
}
