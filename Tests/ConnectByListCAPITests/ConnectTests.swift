import CConnectByList
import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Synchronization
import Testing

extension ConnectByListCAPI {
  /// Calls that pass the checks.
  @Suite struct ConnectTests {
    @Test func `W06 the addresses are those of getsockname and getpeername`() throws {
      let peer = try TestEndpoint(.echo)
      let peerV6 = try TestEndpoint(.echo, at: .loopbackV6)
      for (socket, endpoint) in [
        (CSocket(), peer.endpoint), (CSocket(AF_INET6), peerV6.endpoint),
        (.dualStack(), peer.endpoint), (.dualStack(), peerV6.endpoint),
      ] {
        let (local, remote) = (AddressMemory(size: 128), AddressMemory(size: 128))
        #expect(call(socket, CList(endpoint), local: local, remote: remote) == 0)
        #expect(local.endpoint != nil && local.endpoint == socket.local)
        #expect(remote.endpoint != nil && remote.endpoint == socket.remote)
        #expect(remote.endpoint?.unmapped == endpoint)
        #expect(socket.exchanges())
      }
    }

    @Test func `W06 either buffer may be NULL, and its length is ignored`() throws {
      let peer = try TestEndpoint(.echo)
      let list = CList(peer.endpoint)
      let memory = AddressMemory(size: 0)
      let none = CSocket()
      #expect(
        call(none, list.pointer, (nil, memory.length), (nil, memory.length)) == 0)
      #expect(memory.isUntouched)
      let (localOnly, remoteOnly) = (CSocket(), CSocket())
      let room = AddressMemory(size: 16)
      #expect(call(localOnly, list, local: room) == 0)
      #expect(room.endpoint == localOnly.local)
      let other = AddressMemory(size: 16)
      #expect(call(remoteOnly, list, remote: other) == 0)
      #expect(other.endpoint == peer.endpoint)
    }

    @Test func `W07 the lengths become the addresses' sizes, and nothing is written beyond`()
      throws
    {
      let peer = try TestEndpoint(.echo)
      for (domain, size) in [(AF_INET, 16), (AF_INET6, 28)] {
        for room in [size, size + 1, 128] {
          let socket = domain == AF_INET ? CSocket() : .dualStack()
          let (local, remote) = (AddressMemory(size: room), AddressMemory(size: room))
          #expect(call(socket, CList(peer.endpoint), local: local, remote: remote) == 0)
          #expect(Int(local.length.pointee) == size && Int(remote.length.pointee) == size)
          #expect(local.isUntouched(from: size) && remote.isUntouched(from: size))
        }
      }
    }

    @Test func `W08 without a timeout it ends when connected, or when all have failed`() throws {
      let peer = try TestEndpoint(.echo)
      let refused = try TestEndpoint(.refused)
      let socket = CSocket()
      #expect(call(socket, CList(refused.endpoint), timeout: nil) == ECONNREFUSED)
      let list = CList(refused.endpoint, peer.endpoint)
      #expect(call(socket, list, timeout: nil) == 0)
      #expect(socket.remote == peer.endpoint)
    }

    @Test func `W09 the deadline is strict`() throws {
      let silent = try TestEndpoint(.silent)
      let socket = CSocket()
      let (local, remote) = (AddressMemory(size: 128), AddressMemory(size: 128))
      let elapsed = seconds {
        let code = call(
          socket, CList(silent.endpoint), local: local, remote: remote,
          timeout: timeval(tv_sec: 0, tv_usec: 200_000))
        #expect(code == ETIMEDOUT)
      }
      #expect(elapsed >= 0.2 && elapsed < 2)
      #expect(local.isUntouched && remote.isUntouched)
      #expect(socket.local?.port == 0 && socket.remote == nil, "as it was")
      let peer = try TestEndpoint(.echo)
      #expect(call(socket, CList(silent.endpoint, peer.endpoint)) == 0, "used again")
    }

    @Test func `W16 the deadline's end is ETIMEDOUT, whatever failed before`() throws {
      let silent = try TestEndpoint(.silent)
      let refused = try TestEndpoint(.refused)
      let list = CList(refused.endpoint, silent.endpoint)
      let code = call(CSocket(), list, timeout: timeval(tv_sec: 0, tv_usec: 300_000))
      #expect(code == ETIMEDOUT)
    }

    @Test func `W09 with a timeout of zero it does not wait`() throws {
      let silent = try TestEndpoint(.silent)
      let elapsed = seconds {
        #expect(
          call(CSocket(), CList(silent.endpoint), timeout: timeval()) == ETIMEDOUT)
      }
      #expect(elapsed < 1)
    }

    @Test func `W11 success is 0, failure -1 with errno and nothing written`() throws {
      let refused = try TestEndpoint(.refused)
      let (local, remote) = (AddressMemory(size: 128), AddressMemory(size: 128))
      let socket = CSocket()
      let list = CList(refused.endpoint)
      #expect(call(socket, list, local: local, remote: remote) == ECONNREFUSED)
      #expect(local.isUntouched && remote.isUntouched)
      errno = 0
      #expect(
        connect_by_list(socket.number, list.pointer, nil, nil, nil, nil, nil, nil) == -1)
      let peer = try TestEndpoint(.echo)
      let good = CList(peer.endpoint)
      #expect(connect_by_list(socket.number, good.pointer, nil, nil, nil, nil, nil, nil) == 0)
      #expect(socket.exchanges())
    }

    private static let hasMPTCP: Bool = {
      let number = socket(AF_INET, 1, 262)  // SOCK_STREAM, IPPROTO_MPTCP
      if number >= 0 { close(number) }
      return number >= 0
    }()

    @Test(.enabled(if: hasMPTCP, "needs a kernel with MPTCP (net.mptcp.enabled)"))
    func `W19 MPTCP sockets connect, and stay MPTCP`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket(protocol: 262)
      #expect(call(socket, CList(peer.endpoint)) == 0)
      #expect(socket.option(SO_PROTOCOL, of: SOL_SOCKET) == 262)
      #expect(socket.exchanges())
    }

    @Test func `W20 it blocks even if the socket does not, and both flags are unchanged`() throws {
      let silent = try TestEndpoint(.silent)
      let peer = try TestEndpoint(.echo)
      for (isNonBlocking, closes) in [(false, false), (false, true), (true, false), (true, true)] {
        let socket = CSocket()
        if isNonBlocking { #expect(fcntl(socket.number, F_SETFL, O_NONBLOCK) == 0) }
        if closes { #expect(fcntl(socket.number, F_SETFD, FD_CLOEXEC) == 0) }
        let short = timeval(tv_sec: 0, tv_usec: 50_000)
        #expect(call(socket, CList(silent.endpoint), timeout: short) == ETIMEDOUT)
        #expect(socket.isNonBlocking == isNonBlocking && socket.closesOnExec == closes)
        // The socket is connected when the call returns, wherever the silent endpoint is in the list.
        #expect(call(socket, CList(silent.endpoint, peer.endpoint)) == 0)
        #expect(socket.isNonBlocking == isNonBlocking && socket.closesOnExec == closes)
        #expect(socket.exchanges())
      }
    }

    @Test func `W21 errno is that of the attempt that failed last`() throws {
      // ::1 is tried before 127.0.0.1 (RFC 6724 rule 6), and fails at once on this socket.
      let refused = try TestEndpoint(.refused)
      let v6 = try TestEndpoint(.echo, at: .loopbackV6)
      let socket = CSocket()
      for list in [CList(refused.endpoint, v6.endpoint), CList(v6.endpoint, refused.endpoint)] {
        #expect(call(socket, list) == ECONNREFUSED)
      }
      #expect(v6.acceptedCount == 0)
    }

    @Test func `W22 a dual-stack socket connects to both families; IPv4 addresses are v4-mapped`()
      throws
    {
      let peer = try TestEndpoint(.echo)
      let refused = try TestEndpoint(.refused)
      let refusedV6 = try TestEndpoint(.refused, at: .loopbackV6)
      for endpoint in [peer.endpoint, peer.endpoint.mapped] {
        let socket = CSocket.dualStack()
        let remote = AddressMemory(size: 28)
        let list = CList(refusedV6.endpoint, refused.endpoint.mapped, endpoint)
        #expect(call(socket, list, remote: remote) == 0)
        #expect(remote.endpoint == peer.endpoint.mapped)
        #expect(socket.remote == peer.endpoint.mapped)
        #expect(socket.exchanges())
      }
    }

    @Test func `W22 on an AF_INET socket a v4-mapped entry is IPv4, an IPv6 one EAFNOSUPPORT`()
      throws
    {
      let peer = try TestEndpoint(.echo)
      let v6 = try TestEndpoint(.echo, at: .loopbackV6)
      let socket = CSocket()
      #expect(call(socket, CList(v6.endpoint)) == EAFNOSUPPORT)
      let remote = AddressMemory(size: 16)
      let list = CList(v6.endpoint, peer.endpoint.mapped)
      #expect(call(socket, list, remote: remote) == 0)
      #expect(remote.endpoint == peer.endpoint)
    }

    @Test func `W22 on an IPV6_V6ONLY socket IPv4 is ENETUNREACH`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = CSocket(AF_INET6)
      socket.set(IPV6_V6ONLY, of: CInt(IPPROTO_IPV6), to: 1)
      for endpoint in [peer.endpoint, peer.endpoint.mapped] {
        #expect(call(socket, CList(endpoint)) == ENETUNREACH)
      }
      #expect(peer.acceptedCount == 0)
    }

    @Test
    func `W25 the winner has the options that were set before; others have the system's defaults`()
      throws
    {
      let peer = try TestEndpoint(.echo)
      let (ip, tcp) = (CInt(0), CInt(6))
      for isSet in [false, true] {
        let (socket, fresh) = (CSocket(), CSocket())
        if isSet {
          socket.set(TCP_NODELAY, of: tcp, to: 1)
          socket.set(IP_TOS, of: ip, to: 0x10)
          socket.set(SO_KEEPALIVE, of: SOL_SOCKET, to: 1)
        }
        #expect(call(socket, CList(peer.endpoint)) == 0)
        #expect((socket.option(TCP_NODELAY, of: tcp) != 0) == isSet)
        #expect(socket.option(IP_TOS, of: ip) == (isSet ? 0x10 : 0))
        #expect(socket.option(SO_KEEPALIVE, of: SOL_SOCKET) == (isSet ? 1 : 0))
        #expect(fresh.option(TCP_NODELAY, of: tcp) == 0)
      }
    }

    @Test func `W24 a longer length is accepted, and addresses need no alignment`() throws {
      let peer = try TestEndpoint(.echo)
      var long = CList.Item(peer.endpoint)
      long.bytes += [UInt8](repeating: 0xff, count: 200)
      long.length = 128
      #expect(call(CSocket(), CList([long])) == 0)
      // At odd addresses.
      let list = CList([long])
      withUnsafeTemporaryAllocation(byteCount: 40, alignment: 8) { room in
        room.baseAddress!.advanced(by: 1).copyMemory(from: long.bytes, byteCount: 16)
        let addresses = UnsafeMutableRawPointer(list.pointer + 1)
          .assumingMemoryBound(to: connect_by_list_address.self)
        addresses[0].address = room.baseAddress!.advanced(by: 1)
          .assumingMemoryBound(to: sockaddr.self)
        addresses[0].length = 16
        #expect(call(CSocket(), list) == 0)
      }
    }

    @Test func `W24 flow labels, and scopes of other than link-local addresses, are ignored`()
      throws
    {
      let peer = try TestEndpoint(.echo, at: .loopbackV6)
      var item = CList.Item(peer.endpoint.withScope(4_000_000))
      item.bytes.replaceSubrange(4..<8, with: [0, 0, 0, 1])
      #expect(call(CSocket(AF_INET6), CList([item])) == 0)
    }

    @Test func `W26 another thread ends the call with ECANCELED`() throws {
      let silent = try TestEndpoint(.silent)
      let second = try TestEndpoint(.silent)
      for list in [CList(silent.endpoint), CList(silent.endpoint, second.endpoint)] {
        let handle = try CancelHandle()
        let join = try inBackground {
          usleep(250_000)
          handle.cancel()
        }
        let socket = CSocket()
        var given = options(cancel: handle.number)
        let elapsed = seconds {
          #expect(call(socket, list, timeout: nil, options: &given) == ECANCELED)
        }
        join()
        #expect(elapsed >= 0.2 && elapsed < 5)
        #expect(socket.remote == nil && socket.local?.port == 0, "as it was")
      }
    }

    @Test func `W26 the end of a pipe cancels too, and nothing is read from it`() throws {
      let silent = try TestEndpoint(.silent)
      var ends: [CInt] = [0, 0]
      #expect(pipe(&ends) == 0)
      defer { for end in ends { close(end) } }
      #expect(write(ends[1], "x", 1) == 1)
      var given = options(cancel: ends[0])
      let peer = try TestEndpoint(.echo)
      for endpoint in [silent.endpoint, peer.endpoint] {
        let code = call(CSocket(), CList(endpoint), timeout: nil, options: &given)
        #expect(code == ECANCELED)
      }
      #expect(peer.acceptedCount == 0, "cancelled before the first packet")
      var byte: UInt8 = 0
      #expect(read(ends[0], &byte, 1) == 1)
    }

    @Test func `a cancel descriptor that is not used changes nothing`() throws {
      let peer = try TestEndpoint(.echo)
      let silent = try TestEndpoint(.silent)
      let handle = try CancelHandle()
      var given = options(cancel: handle.number)
      let list = CList(silent.endpoint, peer.endpoint)
      #expect(call(CSocket(), list, options: &given) == 0)
    }

    @Test func `several threads can call at a time`() throws {
      let silent = try TestEndpoint(.silent)
      let peer = try TestEndpoint(.echo)
      let endpoints = [silent.endpoint, peer.endpoint]
      let connected = Mutex(0)
      let joins = try (0..<8).map { _ in
        try inBackground {
          for _ in 0..<4 {
            let socket = CSocket()
            if call(socket, CList(endpoints.map { CList.Item($0) })) == 0
              && socket.exchanges()
            {
              connected.withLock { $0 += 1 }
            }
          }
        }
      }
      for join in joins { join() }
      #expect(connected.withLock { $0 } == 32)
    }
  }
}
