import CConnectByList
import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

extension ConnectByListCAPI {
  /// The checks before the first packet: each fault has its errno and changes nothing.
  @Suite struct CheckTests {
    /// The errno of a call with a bad argument. Checks that nothing was written and nothing connected.
    private func refusal(
      _ socket: some Numbered, _ list: CList?, timeout: timeval? = timeval(tv_sec: 20, tv_usec: 0),
      reserved: UnsafeMutableRawPointer? = nil, at place: SourceLocation = #_sourceLocation
    ) -> CInt {
      let (local, remote) = (AddressMemory(size: 128), AddressMemory(size: 128))
      let code = call(
        socket, list, local: local, remote: remote, timeout: timeout, reserved: reserved)
      #expect(local.isUntouched && remote.isUntouched, sourceLocation: place)
      return code
    }

    @Test func `the checks are made in the order of the header`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      let bad = CList([CList.Item(bytes: [0, 0])])
      let good = CList(peer.endpoint)
      let small = AddressMemory(size: 4)
      let negative = timeval(tv_sec: -1, tv_usec: 0)
      let all = call(-1, bad, local: small, timeout: negative, reserved: reservedMark)
      #expect(all == EINVAL, "reserved")
      #expect(call(-1, bad, local: small, timeout: negative) == EBADF)
      #expect(call(socket, bad, local: small, timeout: negative) == EINVAL, "the list")
      #expect(call(socket, good, local: small, timeout: negative) == EFAULT)
      #expect(call(socket, good, timeout: negative) == EINVAL)
      #expect(small.isUntouched)
      #expect(peer.acceptedCount == 0)
      #expect(call(socket, good) == 0)
    }

    @Test func `W04 a bound or listening socket is EINVAL, and is unchanged`() throws {
      let peer = try TestEndpoint(.echo)
      let bound = CSocket()
      #expect(bound.bind(Endpoint(.loopback, port: 0)))
      let local = bound.local
      #expect(refusal(bound, CList(peer.endpoint)) == EINVAL)
      #expect(bound.local == local && bound.remote == nil)
      #expect(listen(bound.number, 4) == 0)
      #expect(refusal(bound, CList(peer.endpoint)) == EINVAL)
      let other = CSocket()
      #expect(other.connect(local!), "it still listens")
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W04 a connected socket is EISCONN, and stays connected`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      #expect(call(socket, CList(peer.endpoint)) == 0)
      let local = socket.local
      #expect(refusal(socket, CList(peer.endpoint)) == EISCONN)
      #expect(socket.local == local)
      #expect(socket.exchanges())
    }

    @Test func `W04 a connecting socket is EALREADY, and goes on`() throws {
      let silent = try TestEndpoint(.silent)
      let socket = CSocket()
      #expect(fcntl(socket.number, F_SETFL, O_NONBLOCK) == 0)
      #expect(!socket.connect(silent.endpoint) && errno == EINPROGRESS)
      #expect(refusal(socket, CList(silent.endpoint)) == EALREADY)
      #expect(!socket.connect(silent.endpoint) && errno == EALREADY)
    }

    @Test func `W05 a port of 0 is EINVAL`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      let zero = Endpoint(.loopback, port: 0)
      #expect(refusal(socket, CList(peer.endpoint, zero)) == EINVAL)
      #expect(refusal(socket, CList(Endpoint(.loopbackV6, port: 0))) == EINVAL)
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W07 a buffer too small is EFAULT, and nothing is written`() throws {
      let peer = try TestEndpoint(.echo)
      for (socket, size) in [(CSocket(), 16), (.dualStack(), 28)] {
        let list = CList(peer.endpoint)
        for short in [0, 2, size - 1] {
          let (small, large) = (AddressMemory(size: short), AddressMemory(size: 128))
          #expect(call(socket, list, local: small, remote: large) == EFAULT)
          #expect(call(socket, list, local: large, remote: small) == EFAULT)
          #expect(small.isUntouched && large.isUntouched)
        }
        #expect(socket.remote == nil)
      }
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W07 a buffer without a length is EFAULT`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      let list = CList(peer.endpoint)
      let memory = AddressMemory(size: 128)
      #expect(call(socket, list.pointer, (memory.address, nil), (nil, nil)) == EFAULT)
      #expect(call(socket, list.pointer, (nil, nil), (memory.address, nil)) == EFAULT)
      #expect(memory.isUntouched)
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W09 a timeout that is negative or out of range is EINVAL`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      for (whole, micro) in [(-1, 0), (0, -1), (0, 1_000_000), (Int.min, 0), (1, Int.max)] {
        let span = timeval(tv_sec: whole, tv_usec: micro)
        #expect(refusal(socket, CList(peer.endpoint), timeout: span) == EINVAL)
      }
      #expect(peer.acceptedCount == 0)
      let longest = timeval(tv_sec: .max, tv_usec: 999_999)
      #expect(call(socket, CList(peer.endpoint), timeout: longest) == 0)
    }

    @Test func `W10 reserved other than NULL is EINVAL`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      let code = refusal(socket, CList(peer.endpoint), reserved: reservedMark)
      #expect(code == EINVAL)
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W13 no list, an empty list and a count out of range are EINVAL`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      #expect(refusal(socket, nil) == EINVAL)
      for count in [0, -1, Int(CInt.min), 1_000_001, Int(CInt.max)] {
        let list = CList([CList.Item(peer.endpoint)], count: count)
        #expect(refusal(socket, list) == EINVAL, "\(count)")
      }
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W13 an unspecified, multicast or broadcast address is EINVAL`() throws {
      let socket = CSocket.dualStack()
      let addresses: [IPAddress] = [
        .anyV4, .anyV6, .anyV4.mapped, IPAddress(v4: 0xe000_0001), IPAddress(v4: 0xffff_ffff),
        IPAddress(v4: 0xe000_0001).mapped, IPAddress(high: 0xff02 << 48, low: 1),
      ]
      for address in addresses {
        #expect(refusal(socket, CList(Endpoint(address, port: 80))) == EINVAL)
      }
    }

    @Test func `W15 a closed descriptor is EBADF, another file ENOTSOCK`() throws {
      let peer = try TestEndpoint(.echo)
      let list = CList(peer.endpoint)
      for number in [-1, CInt.min, 1_000_000, CInt.max] {
        #expect(refusal(number, list) == EBADF)
      }
      let event = try CancelHandle()
      #expect(refusal(event, list) == ENOTSOCK)
      let file = open("/proc/self/stat", O_RDONLY)
      #expect(refusal(file, list) == ENOTSOCK)
      close(file)
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W19 a socket that is not a stream is EOPNOTSUPP`() throws {
      let peer = try TestEndpoint(.echo)
      let list = CList(peer.endpoint)
      let (datagram, sequenced): (CInt, CInt) = (2, 5)
      for socket in [
        CSocket(type: datagram), CSocket(AF_INET6, type: datagram),
        CSocket(AF_UNIX, type: datagram), CSocket(AF_UNIX, type: sequenced),
        CSocket(AF_NETLINK, type: datagram),
      ] {
        #expect(refusal(socket, list) == EOPNOTSUPP)
      }
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W24 a wrong length or family is EINVAL and names the index`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket()
      let good = CList.Item(peer.endpoint)
      let v6 = CList.Item(Endpoint(.loopbackV6, port: 80))
      var bad: [CList.Item] = []
      for size in [0, 1, 2, 15] { bad.append(.init(bytes: Array(good.bytes[..<size]))) }
      for size in [2, 16, 24, 27] { bad.append(.init(bytes: Array(v6.bytes[..<size]))) }
      for family: UInt16 in [0, 16, 17, 255, 0x0200, 0xffff] {
        var item = good
        item.bytes[0] = UInt8(truncatingIfNeeded: family)
        item.bytes[1] = UInt8(family >> 8)
        item.bytes += [UInt8](repeating: 0, count: 112)
        item.length = item.bytes.count
        bad.append(item)
      }
      var missing = good
      missing.isNull = true
      bad.append(missing)
      for item in bad {
        let list = CList([good, good, item, item])
        #expect(refusal(socket, list) == EINVAL, "\(item)")
        var index: CInt = 77
        let code = withUnsafeMutablePointer(to: &index) {
          var options = options()
          options.bad_entry = $0
          return call(socket, list, options: &options)
        }
        #expect(code == EINVAL && index == 2)
      }
      #expect(peer.acceptedCount == 0)
    }

    @Test func `W24 without a bad entry the index is -1`() throws {
      let peer = try TestEndpoint(.echo)
      var index: CInt = 77
      withUnsafeMutablePointer(to: &index) {
        var options = options()
        options.bad_entry = $0
        #expect(call(-1, CList(peer.endpoint), options: &options) == EBADF)
        #expect($0.pointee == -1)
        $0.pointee = 77
        #expect(call(CSocket(), CList(peer.endpoint), options: &options) == 0)
        #expect($0.pointee == -1)
      }
    }

    @Test func `a policy denies addresses with EACCES, and a malformed one is EINVAL`() throws {
      let peer = try TestEndpoint(.echo)
      let list = CList(peer.endpoint)
      func code(_ policy: String) -> CInt {
        policy.withCString { text in
          var given = options()
          given.policy = text
          return withUnsafePointer(to: given) { call(CSocket(), list, options: $0) }
        }
      }
      #expect(code("deny loopback") == EACCES)
      #expect(code("allow 10.0.0.0/8; deny any") == EACCES)
      for bad in ["loopback", "deny 127.1", "deny " + String(repeating: "any ", count: 20_000)] {
        #expect(code(bad) == EINVAL, "\(bad.prefix(20))")
      }
      #expect(peer.acceptedCount == 0)
      #expect(code("allow loopback # all else is denied") == 0)
      // IPv4 on an AF_INET6 socket is v4-mapped, and the rules for IPv4 hold.
      var given = options()
      "deny 127.0.0.0/8".withCString { text in
        given.policy = text
        let status = withUnsafePointer(to: given) { call(CSocket.dualStack(), list, options: $0) }
        #expect(status == EACCES)
      }
    }

    @Test func `options of an unknown version are EINVAL unless the unknown fields are 0`() throws {
      let peer = try TestEndpoint(.echo)
      let list = CList(peer.endpoint)
      let known = MemoryLayout<connect_by_list_options>.size
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 8)
      defer { memory.deallocate() }
      func code(size: Int, _ change: (inout connect_by_list_options) -> Void = { _ in }) -> CInt {
        var given = options()
        change(&given)
        given.size = size
        memory.storeBytes(of: given, as: connect_by_list_options.self)
        let pointer = memory.assumingMemoryBound(to: connect_by_list_options.self)
        return call(CSocket(), list, options: pointer)
      }
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: 8192)
      for size in [-1, 0, 7, 4097, Int.min] { #expect(code(size: size) == EINVAL, "\(size)") }
      #expect(code(size: known) { $0.flags = 1 } == EINVAL)
      #expect(code(size: known) { $0.cancel_fd = 1_000_000 } == EBADF)
      #expect(code(size: known) { $0.cancel_fd = -2 } == EBADF)
      #expect(peer.acceptedCount == 0)
      // Fields that an older caller does not have are not read.
      #expect(code(size: 8) { $0.cancel_fd = 1_000_000 } == 0)
      #expect(code(size: 12) { $0.flags = 1 } == 0)
      #expect(code(size: 16) { $0.bad_entry = .init(bitPattern: 8) } == 0)
      #expect(code(size: 24) { $0.policy = .init(bitPattern: 8) } == 0)
      // A newer caller's fields, all at their defaults; then one that is not.
      #expect(code(size: known + 100) == 0)
      memory.storeBytes(of: 1, toByteOffset: known + 99, as: UInt8.self)
      #expect(code(size: known + 100) == EINVAL)
      #expect(code(size: known + 99) == 0)
      #expect(call(CSocket(), list, options: nil) == 0)
    }
  }
}
