import CConnectByListLua
import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// A socket as a Lua object.
final class SocketBox {
  var socket: Socket
  /// The host name of the entry that a candidate was reached by; the report has that of a winner.
  var candidateName: [UInt8]?
  /// When it was made, for LuaSocket's statistics.
  var birthday: Instant
  /// The timeouts of LuaSocket's methods and their statistics; `nil`: none was set.
  var knownDialect: LuaSocketState?

  /// The same, which is made first where there is none.
  var dialect: LuaSocketState {
    let dialect = knownDialect ?? LuaSocketState()
    knownDialect = dialect
    return dialect
  }

  init(_ socket: consuming Socket) {
    birthday = Clock.now()
    self.socket = socket
  }

  init(_ connection: consuming Connection) {
    birthday = connection.report.ended
    socket = Socket(connection)
  }
}

extension Call {
  /// The socket of the first argument, which must be open.
  func openBox() throws(CallError) -> SocketBox {
    let box = this(SocketBox.self)
    guard box.socket.isOpen else { throw .closed }
    return box
  }

  /// Runs a try of a read or a write. Where it would block, the call waits and is made again.
  func attempt<Result: ~Copyable>(
    _ box: SocketBox, _ body: (inout Socket, Instant) throws(Socket.Stop) -> Result
  ) throws(CallError) -> Result {
    let deadline =
      pointee.kept.is_retry
      ? Instant(nanoseconds: pointee.kept.deadline) : box.socket.deadline
    do throws(Socket.Stop) {
      if let errno = failureOfWait { throw .failed(errno) }
      let result = try body(&box.socket, deadline)
      box.socket.awaited = 0
      return result
    } catch {
      switch error {
      case .failed(let errno):
        box.socket.awaited = 0
        throw errno == .messageTooLong ? box.tooLong : .failed(errno)
      case .timedOut(let events):
        box.socket.awaited = events
        box.socket.awaitedUntil = .distantFuture
        // The stream itself has no error: what is said names whose limit it was.
        var text = TextBuffer()
        let isFinal = Clock.now() >= box.socket.finalDeadline
        text.append(isFinal ? "timed out (setdeadline)" : "timed out (settimeout)")
        throw .failed(.timedOut, text)
      case .wouldBlock(let events):
        pointee.kept.deadline = deadline.nanoseconds
        box.socket.awaited = events
        box.socket.awaitedUntil = deadline
        throw .wait(box.socket.number, events: events, until: deadline)
      }
    }
  }

  fileprivate func format(_ index: Int) -> ReadFormat? {
    let value = self[index]
    switch value.kind {
    case CBL_LUA_INTEGER: return value.integer < 0 ? nil : .bytes(Int(value.integer))
    case CBL_LUA_NUMBER: return Int(exactly: value.number).flatMap { $0 < 0 ? nil : .bytes($0) }
    case CBL_LUA_TEXT: return ReadFormat(value.raw)
    default: return nil
    }
  }
}

/// Takes a line that is in the read buffer already, as most lines are that are read.
@c @implementation public func cbl_lua_socket_ready_line(
  _ object: UnsafeMutableRawPointer!, _ text: UnsafeMutablePointer<cbl_lua_text>!
) -> Bool {
  Unmanaged<SocketBox>.fromOpaque(object)._withUnsafeGuaranteedRef { box in
    guard let line = box.socket.takeBufferedLine() else { return false }
    text.pointee = cbl_lua_text(bytes: line.baseAddress, count: line.count)
    return true
  }
}

/// Arguments: formats. The value of a single format is pushed from the socket's buffer; those of several
/// are copied, because pushing the first may run a finalizer that reads from the same socket.
@c @implementation public func cbl_lua_socket_read(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let count = call.count
    for index in 0..<count where call.format(index) == nil {
      throw .misuse(call.luaNumber(index), "invalid format")
    }
    let reply = count > 1 ? Reply() : nil
    try call.attempt(box) { socket, deadline throws(Socket.Stop) in
      try socket.tryRead(count: max(count, 1), before: deadline) { index in
        count == 0 ? .line(keepsEnd: false) : call.format(index)!
      } item: { _, item throws(Socket.Stop) in
        switch item {
        case .bytes(let bytes): call.take(bytes, CBL_LUA_TEXT, reply)
        case .numeral(let bytes): call.take(bytes, CBL_LUA_NUMERAL, reply)
        case .end: if let reply { reply.add(cbl_lua_value()) } else { call.addNil() }
        }
        // Then nothing is consumed.
        if let reply, reply.isShort { throw .failed(.outOfMemory) }
      }
    }
    if let reply { for value in try call.sealed(reply) { call.add(value) } }
  }
}

/// Called before an iterator is made. Only a closed socket is an error here: formats are checked when
/// they are read, as io's are.
@c @implementation public func cbl_lua_socket_lines(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in _ = try call.openBox() }
}

extension Call {
  fileprivate func take(_ bytes: UnsafeRawBufferPointer, _ kind: cbl_lua_kind, _ reply: Reply?) {
    if let reply {
      reply.add(kind: kind, copying: bytes)
    } else {
      add(cbl_lua_value(kind: kind, bytes))
    }
  }
}

@c @implementation public func cbl_lua_socket_receive_any(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let most = call.isNil(0) ? 64 * 1024 : try call.integer(0, "the size", in: 1...Socket.readMax)
    let bytes = try call.attempt(box) { socket, deadline throws(Socket.Stop) in
      try socket.tryReceiveAny(max: most, before: deadline)
    }
    if let bytes { call.add(cbl_lua_value(kind: CBL_LUA_TEXT, bytes)) } else { call.addNil() }
  }
}

@c @implementation public func cbl_lua_socket_write(_ call: Call!) -> cbl_lua_verdict {
  let verdict = call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let count = call.count
    for index in 0..<count where call[index].kind != CBL_LUA_TEXT {
      throw call.expected("string", index)
    }
    try call.attempt(box) { socket, deadline throws(Socket.Stop) in
      try withUnsafeTemporaryAllocation(of: cbl_posix_slice.self, capacity: max(1, count)) {
        slices throws(Socket.Stop) in
        for index in 0..<count {
          slices[index] = cbl_posix_slice(bytes: call[index].bytes, count: call[index].count)
        }
        let all = UnsafeMutableBufferPointer(rebasing: slices[0..<count])
        Socket.skip(call.pointee.kept.progress, of: all)
        try socket.tryWrite(all, written: &call.pointee.kept.progress, before: deadline)
      }
    }
    call.addSelf()
  }
  if verdict == CBL_LUA_FAILED { call.add(call.pointee.kept.progress) }
  return verdict
}

@c @implementation public func cbl_lua_socket_flush(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    try call.attempt(box) { socket, deadline throws(Socket.Stop) in
      try socket.tryFlush(before: deadline)
    }
    call.add(true)
  }
}

@c @implementation public func cbl_lua_socket_setvbuf(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let name = try call.text(0)
    let mode: WriteBuffer.Mode
    if name.equals("no") {
      mode = .none
    } else if name.equals("full") {
      mode = .full
    } else if name.equals("line") {
      mode = .line
    } else {
      throw .misuse(2, "'no', 'full' or 'line' expected")
    }
    let size =
      call.isNil(1)
      ? WriteBuffer.sizeDefault : try call.integer(1, "the size", in: 1...WriteBuffer.sizeMax)
    try call.attempt(box) { socket, deadline throws(Socket.Stop) in
      try socket.tryFlush(before: deadline)
    }
    box.socket.setBufferingNow(mode, size: size)
    call.add(true)
  }
}

@c @implementation public func cbl_lua_socket_close(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.this(SocketBox.self)
    do throws(CallError) {
      try call.attempt(box) { socket, deadline throws(Socket.Stop) in
        try socket.tryFlush(before: deadline)
      }
    } catch {
      // It is closed whatever became of what was buffered.
      if case .wait = error { throw error }
      box.socket.closeNow()
      throw error
    }
    box.socket.closeNow()
    call.add(true)
  }
}

/// Closes a socket whose written bytes the kernel has all taken; false where `cbl_lua_socket_close` has to send some.
@c @implementation public func cbl_lua_socket_close_at_once(
  _ object: UnsafeMutableRawPointer!
) -> Bool {
  let box = Unmanaged<SocketBox>.fromOpaque(object).takeUnretainedValue()
  guard !box.socket.hasUnsentBytes else { return false }
  box.socket.closeNow()
  return true
}

@c @implementation public func cbl_lua_socket_shutdown(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let how: CInt
    if call.isNil(0) {
      how = 2
    } else {
      let word = try call.text(0)
      if word.equals("read") || word.equals("receive") {
        how = 0
      } else if word.equals("write") || word.equals("send") {
        how = 1
      } else if word.equals("both") {
        how = 2
      } else {
        throw .misuse(2, "'read', 'write' or 'both' expected")
      }
    }
    if how != 0 {
      try call.attempt(box) { socket, deadline throws(Socket.Stop) in
        try socket.tryFlush(before: deadline)
      }
    }
    do throws(Errno) { try box.socket.shutdown(how: how) } catch {
      throw .failed(error)
    }
    call.add(true)
  }
}

@c @implementation public func cbl_lua_socket_local_address(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    do throws(Errno) {
      let endpoint = try box.socket.localEndpoint()
      let isUnix = endpoint?.family == .unix
      call.add(endpoint, unixPath: isUnix ? try box.socket.localUnixPath() : [])
    } catch {
      throw .failed(error)
    }
  }
}

@c @implementation public func cbl_lua_socket_remote_address(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    do throws(Errno) { try call.add(remote: try box.socket.remoteEndpoint(), of: box) } catch {
      throw .failed(error)
    }
  }
}

/// The same as the kernel has it now, as LuaSocket's getpeername: a connection that both ends have shut down has no
/// peer any more.
@c @implementation public func cbl_lua_socket_connected_address(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    do throws(Errno) {
      try call.add(remote: try Syscalls.remoteEndpoint(box.socket.number), of: box)
    } catch {
      throw .failed(error)
    }
  }
}

extension Call {
  fileprivate func add(remote endpoint: Endpoint?, of box: SocketBox) throws(Errno) {
    add(endpoint, unixPath: endpoint?.family == .unix ? try box.socket.remoteUnixPath() : [])
  }
}

/// The host name of the entry that won, or whose connection is being checked; nil for a literal.
@c @implementation public func cbl_lua_socket_name(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    guard let name = box.candidateName ?? box.socket.report?.winnerName else {
      call.addNil()
      return
    }
    var text = TextBuffer()
    text.append(name)
    call.add(copying: text)
  }
}

@c @implementation public func cbl_lua_socket_report(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    if let report = try call.openBox().socket.report {
      call.add(made: ReportBox(report))
    } else {
      call.addNil()
    }
  }
}

/// The events that a waiter waits for: what the call that waits needs, or the one that ended with ETIMEDOUT;
/// else to become readable.
@c @implementation public func cbl_lua_socket_events(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(try call.openBox().socket.awaited == CInt(CBL_POSIX_WRITABLE) ? "w" : "r")
  }
}

/// Seconds until the call that waits times out; nil: never.
@c @implementation public func cbl_lua_socket_timeout(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let socket = try call.openBox()
    let until = socket.socket.awaited == 0 ? .distantFuture : socket.socket.awaitedUntil
    call.add(secondsUntil: until)
  }
}

extension Call {
  /// Adds the seconds until an instant, 0 if it has passed; nil for no instant.
  func add(secondsUntil instant: Instant) {
    guard instant != .distantFuture else { return addNil() }
    add(cbl_lua_value(max(.zero, instant - Clock.now()).seconds))
  }
}

/// Arguments: seconds, and LuaSocket's mode: "b", the default, or "t".
@c @implementation public func cbl_lua_socket_settimeout(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let timeout = try call.timeout(0)
    switch call.isNil(1) ? UInt8(ascii: "b") : try call.text(1).first {
    case UInt8(ascii: "b"): box.dialect.block = timeout
    case UInt8(ascii: "t"), UInt8(ascii: "r"): box.dialect.total = timeout
    default: throw .misuse(3, "invalid timeout mode")
    }
    box.socket.timeout = box.dialect.shortest
    call.addSelf()
  }
}

@c @implementation public func cbl_lua_socket_gettimeout(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    if let timeout = try call.openBox().socket.timeout {
      call.add(cbl_lua_value(timeout.seconds))
    } else {
      call.addNil()
    }
  }
}

@c @implementation public func cbl_lua_socket_getfd(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(Int(try call.openBox().socket.number)) }
}

/// setfd(-1): forgets the descriptor without closing it, as LuaSocket's does.
@c @implementation public func cbl_lua_socket_setfd(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    guard try call.integer(0) == -1 else {
      throw .misuse(2, "only -1 can be set; wrap makes a socket of a descriptor")
    }
    let lost = box.socket.buffered.count
    // It lets go whatever is lost: LuaSec has the descriptor by then, and ignores the result.
    _ = box.socket.detach().release()
    guard lost > 0 else { return }
    var text = TextBuffer()
    text.append(decimal: lost)
    text.append(lost == 1 ? " unread byte is lost" : " unread bytes are lost")
    text.append("; detach(true) returns them")
    throw .misuse(argument: 0, text)
  }
}

@c @implementation public func cbl_lua_socket_detach(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    try call.attempt(box) { socket, deadline throws(Socket.Stop) in
      try socket.tryFlush(before: deadline)
    }
    let hasRest = call[0].kind == CBL_LUA_BOOLEAN && call[0].integer == 1
    let count = box.socket.buffered.count
    if count > 0 && !hasRest {
      var text = TextBuffer()
      text.append(decimal: count)
      text.append(" unread bytes are buffered; detach(true) returns them")
      throw .failed(.busy, text)
    }
    call.add(Int(box.socket.detach().release()))
  }
}

/// The bytes in the read buffer, which stay there. lua/ takes them before it calls `detach`: if they
/// were a second result of `detach`, and Lua had no memory for them, the descriptor would be lost.
@c @implementation public func cbl_lua_socket_unread(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(cbl_lua_value(kind: CBL_LUA_TEXT, try call.openBox().socket.buffered))
  }
}

@c @implementation public func cbl_lua_socket_connected(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let socket = call.this(SocketBox.self)
    call.add(socket.socket.isOpen && socket.socket.isConnected && socket.socket.failure == nil)
  }
}

/// Whether the socket has a descriptor, connected or not.
@c @implementation public func cbl_lua_socket_is_open(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(call.this(SocketBox.self).socket.isOpen) }
}

/// Argument: the name of a family. Returns a socket that is neither bound nor connected.
@c @implementation public func cbl_lua_socket_new(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let word = call.isNil(0) ? [UInt8]("inet6") : try call.text(0)
    let family: Family
    if word.equals("inet6") {
      family = .inet6
    } else if word.equals("inet") {
      family = .inet
    } else if word.equals("unix") {
      family = .unix
    } else {
      throw .misuse(1, "'inet6', 'inet' or 'unix' expected")
    }
    do throws(Errno) { call.add(made: SocketBox(try Socket(family))) } catch {
      throw .failed(error)
    }
  }
}

/// Arguments: a host with its scope, and a port; 0: the kernel chooses.
@c @implementation public func cbl_lua_socket_bind(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let local = try call.addressInParts()
    do throws(Errno) { try box.socket.bind(to: local) } catch {
      throw .failed(error)
    }
    call.addSelf()
  }
}

/// Argument: a connected descriptor. Returns a socket that owns it from now on.
@c @implementation public func cbl_lua_wrap(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let number = try call.integer(0)
    guard number >= 0 && number <= Int64(CInt.max) else { throw .misuse(1, "not a descriptor") }
    do throws(Errno) { call.add(made: SocketBox(try Socket(wrapping: CInt(number)))) } catch {
      throw .failed(error)
    }
  }
}

@c @implementation public func cbl_lua_release_socket(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<SocketBox>.fromOpaque(object).release()
}
