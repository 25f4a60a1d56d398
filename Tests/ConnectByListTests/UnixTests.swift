import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// Unix stream addresses on real sockets, in a folder that each test makes and removes.
  @Suite final class UnixTests {
    private let folder: String

    init() throws {
      var template = Array("/tmp/connectbylist-XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else { throw Errno(errno) }
      folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { rmdir(folder) }

    // MARK: connecting

    @Test func `W19 a Unix stream address is connected to`() throws {
      for path in [path("socket"), abstractName()] {
        let peer = try TestEndpoint(.echo, unixPath: path)
        let connection = try connect(list(path))
        try connection.write("over a path\n")
        #expect(try connection.readLine() == "over a path")
        #expect(try connection.socket.remoteUnixPath() == path)
        #expect(try connection.socket.localUnixPath() == [])
        #expect(connection.remote?.family == .unix)
        #expect(connection.local == .unixElsewhere)
        #expect(connection.report.outcomes == [.connected])
        #expect(connection.report.attempts[0].local == nil)
        #expect(try Syscalls.option(connection.number, level: SOL_SOCKET, name: SO_DOMAIN) == 1)
        #expect(peer.acceptedCount == 1)
      }
    }

    @Test func `the longest path and the longest name are connected to`() throws {
      let prefix = Array((folder + "/").utf8)
      let long = prefix + Array(repeating: UInt8(ascii: "x"), count: 107 - prefix.count)
      let name = abstractName()
      let longName = name + Array(repeating: UInt8(ascii: "x"), count: 108 - name.count)
      for path in [long, longName] {
        let peer = try TestEndpoint(.echo, unixPath: path)
        let connection = try connect(list(path))
        #expect(try connection.socket.remoteUnixPath() == path)
        peer.close()
      }
    }

    @Test func `a path that is not UTF-8 is connected to`() throws {
      let path = Array((folder + "/").utf8) + [0xff, 0x0a, 0x1b, 0x40]
      let peer = try TestEndpoint(.echo, unixPath: path)
      let connection = try connect(list(path))
      #expect(try connection.socket.remoteUnixPath() == path)
      peer.close()
      let error = try failure(of: list(path))
      #expect(String(decoding: error.message, as: UTF8.self).contains(#"\x0a\x1b@ no such file"#))
    }

    @Test func `options of IP sockets are not applied to it`() throws {
      let path = path("socket")
      let peer = try TestEndpoint(.echo, unixPath: path)
      var demanding = request {
        $0.locals = .these([Endpoint(.loopback, port: 0)])
        $0.mptcp = true
      }
      demanding.settings.interface = Array("lo".utf8)
      let connection = try connect(list(path), with: demanding)
      #expect(try connection.socket.localUnixPath() == [])
      #expect(connection.report.isMultipath == nil)
      #expect(connection.report.summary().bytes.count < 60, "MPTCP is not mentioned")
      peer.close()
    }

    // MARK: failing

    @Test func `a path without a socket is ENOENT`() throws {
      let error = try failure(of: list(path("nothing")))
      #expect(error.errno == Errno(2))
      #expect(error.report.outcomes == [.failed])
      #expect(error.report.race!.events[0].isSynchronous)
      #expect(try failure(of: list(abstractName())).errno == .connectionRefused)
    }

    @Test func `a path without a listener refuses`() throws {
      for path in [path("socket"), abstractName()] {
        let refused = try TestEndpoint(.refused, unixPath: path)
        let error = try failure(of: list(path))
        #expect(error.errno == .connectionRefused)
        #expect(error.report.outcomes == [.refused])
        refused.close()
      }
    }

    @Test func `a policy on paths is asked before the connect`() throws {
      let echo = try TestEndpoint(.echo, unixPath: path("allowed"))
      var request = request(timeout: .seconds(5))
      request.policy = try EgressPolicy(
        "deny unix:\(String(decoding: path("allowed"), as: UTF8.self)); allow unix")
      let error = try failure(of: list(path("allowed")), with: request)
      #expect(error.errno == .accessDenied)
      #expect(echo.acceptedCount == 0)
      request.policy = try EgressPolicy("allow unix:\(String(decoding: path("*"), as: UTF8.self))")
      _ = try connect(list(path("allowed")), with: request)
    }

    @Test func `a listener whose queue is full is EAGAIN, and the next is tried at once`() throws {
      let full = path("full")
      let listener = try Syscalls.socket(.unix)
      try Syscalls.bind(listener.number, toUnix: full)
      try Syscalls.listen(listener.number, backlog: 0)
      let filler = try Syscalls.socket(.unix)
      _ = try Syscalls.connect(filler.number, toUnix: full, under: .unrestricted)
      let error = try failure(of: list(full), with: request(timeout: .seconds(10)))
      #expect(error.errno == .tryAgain)
      #expect(error.report.outcomes == [.failed])
      #expect(error.report.elapsed < .seconds(5), "no event tells when the queue has room")

      let open = path("open")
      let peer = try TestEndpoint(.echo, unixPath: open)
      let connection = try connect(list(full, open))
      #expect(connection.report.outcomes == [.failed, .connected])
      peer.close()
      Syscalls.unlink(unixPath: full)
    }

    // MARK: among others

    @Test func `it wins over an IP endpoint that is silent`() throws {
      let path = path("socket")
      let silent = try TestEndpoint(.silent)
      let peer = try TestEndpoint(.echo, unixPath: path)
      var both = list(silent.endpoint)
      try both.append(unixPath: path)
      let connection = try connect(both)
      #expect(connection.report.outcomes == [.superseded, .connected])
      #expect(try connection.socket.remoteUnixPath() == path)
      // By likelihood it is the first, and the IP endpoint is not even started.
      let likely = try connect(both, with: request { $0.order = .likely })
      #expect(likely.report.outcomes == [.connected])
      #expect(likely.remote?.family == .unix)
      peer.close()
    }

    @Test func `after it failed the IP endpoints are tried`() throws {
      let peer = try TestEndpoint(.echo)
      var both = try list(path("nothing"))
      both.append(.endpoint(peer.endpoint))
      let connection = try connect(both, with: request { $0.order = .likely })
      #expect(connection.remote == peer.endpoint)
      #expect(connection.report.outcomes == [.failed, .connected])
    }

    @Test func `a list remembers which of its paths worked`() throws {
      let path = path("socket")
      let peer = try TestEndpoint(.echo, unixPath: path)
      var list = try list(self.path("nothing"), path)
      _ = try Connection(connectByList(&list, request { $0.order = .likely }))
      let again = try Connection(connectByList(&list, request { $0.order = .likely }))
      #expect(again.report.outcomes == [.connected])
      try peer.awaitAccepted(2)
      peer.close()
    }

    @Test func `the connection can be validated`() throws {
      let path = path("socket")
      let peer = try TestEndpoint(.echo, unixPath: path)
      let list = try list(abstractName(), path)
      let operation = try Stepwise(list, with: request { $0.validates = true })
      #expect(operation.finish() == .validate(AttemptID(1)))
      operation.accept(AttemptID(1))
      let connection = try operation.conclude(operation.finish())
      #expect(try connection.socket.remoteUnixPath() == path)
      peer.close()
    }

    @Test func `no path information is read for Unix addresses alone`() throws {
      let list = try list(path("a"), path("b"))
      let plan = try #require(list.plan(ConnectOptions(), links: [], at: Clock.now()))
      var reader = PathInformationReader()
      let found = reader.pathInformation(for: plan, .pairs(.all))
      // A read would have found 127.0.0.1.
      #expect(found.locals.isEmpty)
      #expect(found.remotes.count == 2)
    }

    // MARK: helpers

    private func path(_ name: String) -> [UInt8] { Array("\(folder)/\(name)".utf8) }

    /// An abstract name that no other test has, because the folder's name is unique.
    private func abstractName() -> [UInt8] { Array("@\(folder)".utf8) }

    private func list(_ paths: [UInt8]...) throws -> AddressList {
      var list = AddressList()
      for path in paths { try list.append(unixPath: path) }
      return list
    }

    private func list(_ endpoint: Endpoint) -> AddressList { ConnectByListTests.list([endpoint]) }
  }
}
