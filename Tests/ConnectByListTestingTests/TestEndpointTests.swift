import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

/// One after the other, because they measure times and count connections.
@Suite(.serialized) struct TestEndpointTests {
  private static let loopbacks = [IPAddress(v4: 0x7f00_0001), IPAddress(high: 0, low: 1)]

  // MARK: kinds

  @Test(arguments: loopbacks)
  func `a silent endpoint completes no handshake`(address: IPAddress) throws {
    let endpoint = try TestEndpoint(.silent, at: address)
    // More than one, because a queue with room would take the first.
    for _ in 0..<3 {
      let socket = try Syscalls.socket(address.family)
      #expect(
        try Syscalls.connect(socket.number, to: endpoint.endpoint, under: .unrestricted) == .started
      )
      let events = try Syscalls.poll(
        socket.number, events: CInt(CBL_POSIX_WRITABLE), for: .milliseconds(100))
      #expect(events == 0)
      let second = thrown { () throws(Errno) in
        _ = try Syscalls.connect(socket.number, to: endpoint.endpoint, under: .unrestricted)
      }
      #expect(second == .alreadyConnecting)
    }
    #expect(endpoint.acceptedCount == 0)
  }

  @Test(arguments: loopbacks)
  func `a refused endpoint refuses, and keeps its port from others`(address: IPAddress) throws {
    let endpoint = try TestEndpoint(.refused, at: address)
    let socket = try Syscalls.socket(address.family)
    _ = try Syscalls.connect(socket.number, to: endpoint.endpoint, under: .unrestricted)
    let events = try Syscalls.poll(
      socket.number, events: CInt(CBL_POSIX_WRITABLE), for: .seconds(5))
    #expect(events & CInt(CBL_POSIX_FAILED) != 0)
    #expect(Syscalls.takePendingError(socket.number) == .connectionRefused)
    let other = try Syscalls.socket(address.family)
    let error = thrown { () throws(Errno) in
      try Syscalls.bind(other.number, to: endpoint.endpoint)
    }
    #expect(error == .addressInUse)
  }

  @Test func `an echo endpoint serves 300 clients at a time`() throws {
    let endpoint = try TestEndpoint(.echo)
    var clients: [Client] = []
    for index in 0..<300 {
      let client = try Client(of: endpoint)
      try client.socket.write("client \(index)\n")
      clients.append(client)
    }
    for index in 0..<300 { #expect(try clients[index].socket.readLine() == "client \(index)") }
    #expect(endpoint.acceptedCount == 300)
  }

  @Test func `a client that does not read does not hold up others`() throws {
    let endpoint = try TestEndpoint(.echo)
    let greedy = try Client(of: endpoint)
    greedy.socket.timeout = .milliseconds(200)
    var written = 0
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 20, alignment: 16)
    defer { bytes.deallocate() }
    bytes.initializeMemory(as: UInt8.self, repeating: 1)
    var slice = cbl_posix_slice(bytes: bytes.baseAddress, count: bytes.count)
    let error = thrown { () throws(Errno) in
      try withUnsafeMutablePointer(to: &slice) { slice throws(Errno) in
        let slices = UnsafeMutableBufferPointer(start: slice, count: 1)
        try greedy.socket.write(slices, written: &written)
      }
    }
    #expect(error == .timedOut)
    let other = try Client(of: endpoint)
    try other.socket.write("still there?\n")
    #expect(try other.socket.readLine() == "still there?")
    // It gets back all that was taken from it, once it reads.
    greedy.socket.timeout = .seconds(10)
    try greedy.socket.shutdown(how: 1)
    var count = 0
    while let bytes = try greedy.socket.receiveAny(max: 1 << 20) { count += bytes.count }
    #expect(count == written)
  }

  // MARK: closing

  @Test func `closing ends the connections, and the count stays`() throws {
    let endpoint = try TestEndpoint(.echo)
    let client = try Client(of: endpoint)
    try client.socket.write("hello\n")
    #expect(try client.socket.readLine() == "hello")
    endpoint.close()
    endpoint.close()
    #expect(endpoint.acceptedCount == 1)
    #expect(try client.socket.readLine() == nil)
    let error = #expect(throws: ConnectError.self) { _ = try Client(of: endpoint) }
    #expect(error?.errno == .connectionRefused)
  }

  @Test func `closing waits for the thread, so its descriptors are closed`() async {
    await #expect(processExitsWith: .success) {
      // Makes the runtime open the descriptors that it needs for sleeping.
      try await Task.sleep(for: .milliseconds(5))
      for kind in [TestEndpoint.Kind.echo, .refused, .silent] {
        let before = openDescriptors()
        let endpoint = try TestEndpoint(kind)
        #expect(openDescriptors() != before)
        endpoint.close()
        #expect(openDescriptors() == before)
      }
    }
  }

  @Test func `a Unix endpoint removes its path when it is closed`() throws {
    var template = Array("/tmp/connectbylist-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(folder) }
    let text = folder + "/socket"
    let path = Array(text.utf8)
    for kind in [TestEndpoint.Kind.echo, .refused] {
      let endpoint = try TestEndpoint(kind, unixPath: path)
      #expect(access(text, F_OK) == 0)
      #expect(throws: Errno.addressInUse) { _ = try TestEndpoint(.echo, unixPath: path) }
      #expect(access(text, F_OK) == 0, "the second endpoint must not remove the first one's file")
      endpoint.close()
      endpoint.close()
      #expect(access(text, F_OK) != 0)
    }
  }

  // MARK: what it refuses

  @Test func `the address must be one of this machine`() {
    #expect(throws: Errno.addressNotAvailable) {
      _ = try TestEndpoint(.echo, at: IPAddress(v4: 0xcb00_7105))
    }
  }

  @Test func `a Unix endpoint cannot be silent, and needs a path`() {
    let path = Array("@connectbylist-silent".utf8)
    #expect(throws: Errno.operationNotSupported) { _ = try TestEndpoint(.silent, unixPath: path) }
    #expect(throws: Errno.invalidArgument) { _ = try TestEndpoint(.echo, unixPath: []) }
  }
}
