import ConnectByListCore
import ConnectByListTesting
import Foundation
import Testing

@testable import ConnectByList

extension Driver {
  /// The deadline is strict, however long the list is (section 5 of the contract). The measured overruns are
  /// printed; what is asserted allows for a debug build on a busy machine, and is still far below what a walk
  /// over the whole list between two looks at the clock would cost.
  @Suite struct StrictnessTests {
    /// Fails in the call that starts it, or has no route: there is no IPv6 beyond this machine in tests.
    private func unreachable(_ count: Int) -> AddressList {
      var list = AddressList()
      for index in 0..<count {
        // 100::/64 is for packets to be discarded (RFC 6666).
        let address = IPAddress(high: 0x0100_0000_0000_0000, low: UInt64(index) + 1)
        list.append(.endpoint(Endpoint(address, port: 9)))
      }
      return list
    }

    private func overrun(
      _ name: String, _ list: AddressList, _ request: ConnectRequest
    ) throws -> TimeSpan {
      var list = list
      do throws(ConnectError) {
        _ = try connectByList(&list, request)
        throw ConnectError(.invalidArgument)
      } catch {
        let over = error.report.elapsed - request.options.timeout!
        print(
          "strictness: \(name): \(over.seconds * 1000) ms over the deadline, errno \(error.errno.number)"
        )
        return over
      }
    }

    @Test func `W09 tens of thousands of entries do not move the deadline`() throws {
      for order in [ConnectOptions.Order.likely, .given] {
        let over = try overrun(
          "20,000 entries, timeout 0.01, \(order)", unreachable(20_000),
          request(timeout: .milliseconds(10)) { $0.order = order })
        #expect(over < .seconds(1))
      }
    }

    @Test func `a hundred thousand entries do not either`() throws {
      for order in [ConnectOptions.Order.likely, .given] {
        let over = try overrun(
          "100,000 entries, timeout 0.2, \(order)", unreachable(100_000),
          request(timeout: .milliseconds(200)) { $0.order = order })
        #expect(over < .seconds(2))
      }
    }

    @Test func `nor do attempts in flight, which are closed at the end`() async {
      await #expect(processExitsWith: .success) {
        var limit = rlimit()
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        getrlimit(resource, &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        for count in [256, 1000] {
          // Each needs descriptors: of the attempt, of the endpoint and of what fills its queue.
          guard limit.rlim_cur > rlim_t(8 * count) else { continue }
          let silent = try (0..<count).map { _ in try TestEndpoint(.silent) }
          let over = try StrictnessTests().overrun(
            "\(count) in flight", list(silent.map { $0.endpoint }),
            request(timeout: .milliseconds(400)) {
              $0.pace = .parallel
              $0.inFlight = count
              $0.locals = .routeOnly
            })
          #expect(over < .milliseconds(200))
        }
      }
    }
  }
}
