import CPosix
import ConnectCore
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// Names that are in every machine's hosts file: nothing is asked of a DNS server here. What takes
  /// time, or does not resolve, is in Tests/Network.
  @Suite struct NameTests {
    private func named(_ endpoints: [Endpoint], _ names: (String, PortText)...) -> AddressList {
      var list = list(endpoints)
      for (host, port) in names {
        list.append(.name(HostName(host: Array(host.utf8), port: port)))
      }
      return list
    }

    @Test func `W01 a name among literals is resolved and raced`() throws {
      let refused = try TestPeer(.refused)
      let echo = try TestPeer(.echo)
      let list = named([refused.endpoint], ("localhost", .number(echo.endpoint.port)))
      let connection = try connect(list)
      #expect(connection.remote == echo.endpoint)
      #expect(connection.report.outcomes == [.refused, .connected])
      let name = try #require(connection.report.names.first)
      #expect(name.addressCount >= 1 && name.errno == nil && name.ended != nil)
    }

    @Test func `a name whose service is not known fails with the resolver's code`() throws {
      var list = named([], ("localhost", .service(Array("nonesuch".utf8))))
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, request()).number
      }
      #expect(error?.errno == Errno(EAI_SERVICE))
      #expect(error?.report.names.first?.errno == Errno(EAI_SERVICE))
      #expect(error?.report.isDeadline == false)
    }

    @Test func `a name that cannot be resolved leaves the literals to race`() throws {
      let echo = try TestPeer(.echo)
      let list = named([echo.endpoint], ("localhost", .service(Array("nonesuch".utf8))))
      #expect(try connect(list).remote == echo.endpoint)
    }

    @Test func `only the family wanted is asked for`() throws {
      let echo = try TestPeer(.echo)
      let list = named([], ("localhost", .number(echo.endpoint.port)))
      let connection = try connect(list, with: request { $0.family = .inet })
      #expect(connection.report.started.allSatisfy { $0.family == .inet })
    }

    @Test func `a name has no Unix addresses`() throws {
      var list = named([], ("localhost", .number(9)))
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, request { $0.family = .unix }).number
      }
      #expect(error?.errno == .familyNotSupported)
    }

    @Test func `a finished operation asks nothing anew`() throws {
      let stepwise = try Stepwise(
        named([], ("localhost", .service(Array("nonesuch".utf8)))), with: request())
      let progress = stepwise.finish()
      #expect(stepwise.advance() == progress)
    }

    @Test func `an outer loop is woken by a name`() throws {
      let echo = try TestPeer(.echo)
      let stepwise = try Stepwise(named([], ("localhost", .number(echo.endpoint.port))))
      let descriptor = try stepwise.pollDescriptor()
      var progress = stepwise.advance()
      let patience = Clock.now() + .seconds(10)
      while progress == .pending && Clock.now() < patience {
        let left = min(stepwise.wakeUp, patience) - Clock.now()
        _ = Syscalls.poll(descriptor, events: CInt(CBL_READABLE), for: left)
        progress = stepwise.advance()
      }
      #expect(try stepwise.conclude(progress).remote == echo.endpoint)
    }

    /// 8 threads at a time; their descriptors and they themselves are gone a moment later.
    @Test func `200 names leave neither threads nor descriptors`() throws {
      func threads() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Threads:") }
        return Int(line?.split(separator: "\t").last ?? "") ?? 0
      }
      let refused = try TestPeer(.refused)
      let before = try threads()
      var list = AddressList()
      let host = HostName(host: Array("localhost".utf8), port: .number(refused.endpoint.port))
      for _ in 0..<200 { list.append(.name(host)) }
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, request { $0.family = .inet }).number
      }
      #expect(error?.errno == .connectionRefused)
      // All say the same address: it is tried once.
      #expect(error?.report.attempts.count == 1)
      #expect(error?.report.names.allSatisfy { $0.addressCount == 1 } == true)
      let patience = Clock.now() + .seconds(10)
      // Others' tests have threads of their own, which come and go.
      while try threads() >= before + 8 && Clock.now() < patience { sched_yield() }
      #expect(try threads() < before + 8)
    }

    @Test func `a timeout of nothing does not wait for a name`() throws {
      var list = named([], ("localhost", .number(9)))
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, request(timeout: .zero)).number
      }
      #expect(error?.errno == .timedOut || error?.errno == .connectionRefused)
    }
  }

  @Suite struct CancelTests {
    @Test func `W26 a cancel handle ends a blocked connect from another thread`() throws {
      let silent = try TestPeer(.silent)
      let cancel = try CancelHandle()
      var wanted = request()
      wanted.cancel = cancel
      try startDetachedThread {
        _ = Syscalls.poll(-1, events: 0, for: .milliseconds(50))
        cancel.cancel()
      }
      let error = try failure(of: silent.endpoint, with: wanted)
      #expect(error.errno == .cancelled)
      #expect(error.report.outcomes == [.cancelled])
      #expect(error.report.elapsed >= .milliseconds(50) && error.report.elapsed < .seconds(10))
    }

    @Test(arguments: [1, 3])
    func `W26 a handle that is cancelled already sends nothing`(count: Int) throws {
      let echo = try TestPeer(.echo)
      let cancel = try CancelHandle()
      cancel.cancel()
      var wanted = request()
      wanted.cancel = cancel
      for _ in 0..<count {
        let error = try failure(of: echo.endpoint, with: wanted)
        #expect(error.errno == .cancelled)
        #expect(error.report.attempts.isEmpty)
      }
      #expect(echo.acceptedCount == 0)
    }

    @Test func `W26 several silent attempts end with it, and names that are on their way`() throws {
      let silent = try (0..<3).map { _ in try TestPeer(.silent) }
      var list = list(silent.map { $0.endpoint })
      list.append(.name(HostName(host: Array("localhost".utf8), port: .number(9))))
      let cancel = try CancelHandle()
      var wanted = request { $0.pace = .parallel }
      wanted.cancel = cancel
      try startDetachedThread {
        _ = Syscalls.poll(-1, events: 0, for: .milliseconds(50))
        cancel.cancel()
      }
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, wanted).number
      }
      #expect(error?.errno == .cancelled)
    }

    @Test func `a cancel descriptor that is not open is EBADF`() throws {
      let echo = try TestPeer(.echo)
      var wanted = request()
      wanted.cancelDescriptor = 1_000_000
      #expect(try failure(of: echo.endpoint, with: wanted).errno == .badDescriptor)
    }

    @Test func `a connect that wins is not hurt by a handle that nobody uses`() throws {
      let silent = try TestPeer(.silent)
      let echo = try TestPeer(.echo)
      var wanted = request()
      wanted.cancel = try CancelHandle()
      #expect(
        try connect(list(silent.endpoint, echo.endpoint), with: wanted).remote == echo.endpoint)
    }
  }

  @Suite struct SwiftFaceTests {
    @Test func `a list is made of texts, and says which is none`() throws {
      let list = try AddressList(
        ["192.0.2.1:80", "[fe80::1%lo]:80", "db.example.net:https", "db.example.net"],
        defaultPort: 7)
      #expect(list.count == 4)
      #expect(list[2] == .name(HostName(host: Array("db.example.net".utf8), port: .service(Array("https".utf8)))))
      let error = #expect(throws: AddressListError.self) {
        try AddressList(["192.0.2.1:80", "127.1:80"])
      }
      #expect(error?.index == 1 && error?.text == "127.1:80")
      #expect("\(error!)".hasPrefix("entry 1, '127.1:80': a host that ends in a number"))
    }

    @Test func `W11 a connect throws what went wrong, with the report`() throws {
      let refused = try TestPeer(.refused)
      let list = try AddressList([refused.endpoint.text])
      let error = #expect(throws: ConnectError.self) { _ = try connectByList(list).number }
      #expect(error?.errno == .connectionRefused)
      #expect(error?.report.outcomes == [.refused])
      #expect("\(error!)".hasPrefix("ECONNREFUSED: connection refused after "))
    }

    @Test func `W09 W16 the deadline is the options'`() throws {
      let silent = try TestPeer(.silent)
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
      let echo = try TestPeer(.echo)
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
      let echo = try TestPeer(.echo)
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
      let echo = try TestPeer(.echo)
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
      let refused = try (0..<2).map { _ in try TestPeer(.refused) }
      let list = try AddressList(refused.map { $0.endpoint.text })
      let error = #expect(throws: ConnectError.self) { _ = try connectByList(list).number }
      #expect(error?.errno == .connectionRefused && error?.report.isDeadline == false)
    }

    @Test func `W21 the error is that of the attempt that failed last, the report has all`() throws {
      let refused = try (0..<2).map { _ in try TestPeer(.refused) }
      let list = try AddressList([
        refused[0].endpoint.text, "[::1]:9", refused[1].endpoint.text,
      ])
      var options = request().options
      // There is nowhere to reach ::1 from.
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
      { $0.attemptDelay = .seconds(61) }, { $0.minimumDelay = .zero }, { $0.attemptTimeout = .zero },
      { $0.hedge = .milliseconds(9) }, { $0.inFlight = 0 }, { $0.inFlight = 4097 },
    ]

    /// With no attempt in flight a connect would not end.
    @Test(arguments: defects.indices)
    func `W13 an option out of its range is an invalid argument`(_ index: Int) throws {
      let echo = try TestPeer(.echo)
      let list = try AddressList([echo.endpoint.text])
      var options = ConnectOptions()
      Self.defects[index](&options)
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(list, options: options).number
      }
      #expect(error?.errno == .invalidArgument)
      #expect(echo.acceptedCount == 0)
    }

    @Test func `options at the ends of their ranges are taken`() throws {
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

    @Test func `times go both ways, rounded up, and never trap`() {
      #expect(TimeSpan(.milliseconds(1500)) == .milliseconds(1500))
      #expect(TimeSpan(Duration(secondsComponent: 0, attosecondsComponent: 1)).nanoseconds == 1)
      #expect(TimeSpan(.seconds(Int64.max)) == .forever)
      #expect(Duration(.milliseconds(3)) == .milliseconds(3))
    }
  }
}
