import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// Names that are in every machine's hosts file, so no DNS server is queried. Names that take time or do
  /// not resolve are tested in Tests/Network.
  @Suite struct NameTests {
    private func named(_ endpoints: [Endpoint], _ names: (String, PortText)...) -> AddressList {
      var list = list(endpoints)
      for (host, port) in names {
        list.append(.name(HostName(host: Array(host.utf8), port: port)))
      }
      return list
    }

    @Test func `W01 a name among literals is resolved and raced`() throws {
      let refused = try TestEndpoint(.refused)
      let echo = try TestEndpoint(.echo)
      let list = named([refused.endpoint], ("localhost", .number(echo.endpoint.port)))
      let connection = try connect(list, with: request { $0.family = .inet })
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

    @Test func `localhost and names below it are this machine without a lookup`() throws {
      let echo = try TestEndpoint(.echo)
      for host in ["localhost", "LOCALHOST.", "a.b.localhost", "a.localhost."] {
        let list = named([], (host, .number(echo.endpoint.port)))
        let connection = try connect(list)
        #expect(connection.remote == echo.endpoint)
        let name = try #require(connection.report.names.first)
        #expect(name.answers.map { $0.family } == [.inet6, .inet])
        // Both were known before the first attempt.
        let started = try #require(connection.report.race?.attempts.first?.started)
        #expect(name.answers.allSatisfy { $0.ended! <= started })
      }
    }

    @Test func `a forked child looks names up with threads of its own`() throws {
      // So that the parent has a pool.
      var list = named([], ("127.0.0.1", .service(Array("nonesuch".utf8))))
      #expect(throws: ConnectError.self) { _ = try connectByList(&list, request()).number }
      // Swift hides `fork`. The child makes no call that another thread of the parent could have been in.
      typealias Fork = @convention(c) () -> pid_t
      let fork = unsafeBitCast(try #require(dlsym(nil, "fork")), to: Fork.self)
      let child = fork()
      if child == 0 {
        var code: CInt = 1
        do { _ = try connectByList(&list, request(timeout: .seconds(5))).number } catch {
          code = error.errno == Errno(EAI_SERVICE) ? 0 : 2
        }
        _exit(code)
      }
      var status: CInt = 0
      #expect(waitpid(child, &status, 0) == child)
      #expect(status == 0)
    }

    @Test func `the list remembers the addresses of a name`() throws {
      // Nobody listens on the same port of ::1.
      let echo = try TestEndpoint(.echo)
      var list = named([], ("localhost", .number(echo.endpoint.port)))
      let other = Endpoint(.loopbackV6, port: echo.endpoint.port)
      let likely = request { $0.order = .likely }
      let first = try connectByList(&list, likely).report
      #expect(first?.outcomes == [.refused, .connected])
      #expect(list.history[echo.endpoint]?.hasConnected == true)
      #expect(list.history[other]?.failure?.errno == .connectionRefused)
      // The address that worked goes before the one that RFC 6724 prefers.
      let second = try connectByList(&list, likely).report
      #expect(second?.started == [echo.endpoint])
      let race = try #require(second?.race)
      let reasons = race.plan.reasons(for: race.attempts[0].pair)
      #expect(reasons.contains(Array("connected before".utf8)))
    }

    @Test func `no name is looked up where the policy does not allow it`() throws {
      var denying = request()
      denying.policy.allowsNameLookups = false
      let service = HostName(host: Array("_x._tcp.localhost".utf8), port: .records)
      var list = named([], ("localhost", .number(9)))
      list.append(.name(service))
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, denying).number
      }
      #expect(error?.errno == .accessDenied)
      #expect(error?.report.names.count == 2)
      #expect(error?.report.names.allSatisfy { $0.errno == .accessDenied } == true)
      for name in [service, HostName(host: Array("localhost".utf8), port: .number(9))] {
        let refused = #expect(throws: ConnectError.self) { _ = try resolve(name, denying) }
        #expect(refused?.errno == .accessDenied)
      }
      // NAT64's prefix is a lookup too.
      let operation = try Operation(named([Endpoint(.loopbackV4, port: 9)]), denying)
      #expect(!operation.race.asksForPrefix)
    }

    @Test func `a name that cannot be resolved leaves the literals to race`() throws {
      let echo = try TestEndpoint(.echo)
      let list = named([echo.endpoint], ("localhost", .service(Array("nonesuch".utf8))))
      #expect(try connect(list).remote == echo.endpoint)
    }

    @Test func `only the wanted family is resolved`() throws {
      let echo = try TestEndpoint(.echo)
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

    @Test func `a finished operation does not resolve again`() throws {
      let stepwise = try Stepwise(
        named([], ("localhost", .service(Array("nonesuch".utf8)))), with: request())
      let progress = stepwise.finish()
      #expect(stepwise.advance() == progress)
    }

    @Test func `the answer for a name makes the poll descriptor readable`() throws {
      let echo = try TestEndpoint(.echo)
      let stepwise = try Stepwise(named([], ("localhost", .number(echo.endpoint.port))))
      let descriptor = try stepwise.pollDescriptor()
      var progress = stepwise.advance()
      let limit = Clock.now() + .seconds(10)
      while progress == .pending && Clock.now() < limit {
        let left = min(stepwise.wakeUp, limit) - Clock.now()
        _ = try? Syscalls.poll(descriptor, events: CInt(CBL_POSIX_READABLE), for: left)
        progress = stepwise.advance()
      }
      #expect(try stepwise.conclude(progress).remote == echo.endpoint)
    }

    /// Eight threads at a time, which end a moment after the connect.
    @Test func `200 names leave neither threads nor descriptors`() throws {
      func threads() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Threads:") }
        return Int(line?.split(separator: "\t").last ?? "") ?? 0
      }
      let refused = try TestEndpoint(.refused)
      let before = try threads()
      var list = AddressList()
      let host = HostName(host: Array("localhost".utf8), port: .number(refused.endpoint.port))
      for _ in 0..<200 { list.append(.name(host)) }
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, request { $0.family = .inet }).number
      }
      #expect(error?.errno == .connectionRefused)
      // All have the same address, which is tried once.
      #expect(error?.report.attempts.count == 1)
      #expect(error?.report.names.allSatisfy { $0.addressCount == 1 } == true)
      let limit = Clock.now() + .seconds(10)
      // Tests that run at the same time start and end threads too.
      while try threads() >= before + 8 && Clock.now() < limit { sched_yield() }
      #expect(try threads() < before + 8)
    }

    /// Most answers come just before the event of the first is cleared. In a process of its own, because the delay holds
    /// for all threads.
    @Test func `an answer that comes while the event is cleared is not lost`() async {
      await #expect(processExitsWith: .success) {
        cbl_posix_set_delay(CBL_POSIX_CALL_READ, 1000)
        let refused = try TestEndpoint(.refused)
        var list = AddressList()
        let port = PortText.number(refused.endpoint.port)
        for number in 1...40 {
          list.append(.name(HostName(host: Array("127.0.0.\(number)".utf8), port: port)))
        }
        for _ in 0..<10 {
          let error = #expect(throws: ConnectError.self) {
            _ = try connectByList(&list, request { $0.timeout = .seconds(5) }).number
          }
          try #require(error?.errno != .timedOut, "an answer was lost")
        }
      }
    }

    @Test func `a timeout of nothing does not wait for a name`() throws {
      var list = named([], ("localhost", .number(9)))
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, request(timeout: .zero)).number
      }
      #expect(error?.errno == .timedOut || error?.errno == .connectionRefused)
    }
  }
}
