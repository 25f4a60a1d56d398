import CConnectByListLua
import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// What LuaSocket's methods need of a socket beside it.
final class LuaSocketState {
  /// `settimeout(x)` and `settimeout(x, "b")`.
  var block: TimeSpan?
  /// `settimeout(x, "t")`.
  var total: TimeSpan?
  /// When the call that waits has begun, of a receive and of a send.
  fileprivate var receiveBegan = Instant.distantFuture
  fileprivate var sendBegan = Instant.distantFuture
  /// What `setstats` has made of the counts and of the age.
  fileprivate var receivedOffset = 0.0
  fileprivate var sentOffset = 0.0

  /// The timeout of a call that has only one.
  var shortest: TimeSpan? {
    guard let block, let total else { return block ?? total }
    return min(block, total)
  }

  /// When a wait that begins now ends.
  ///
  /// As LuaSocket has it (timeout.c, `timeout_getretry`): with one of the two timeouts the call as a whole is
  /// bounded by it, with both the call by `total` and each of its waits by `block`.
  fileprivate func deadline(of began: Instant, hasMoved: Bool) -> Instant {
    guard let shortest else { return .distantFuture }
    guard let block, let total else { return began.later(by: shortest) }
    return min(began.later(by: total), (hasMoved ? Clock.now() : began).later(by: block))
  }
}

extension Instant {
  fileprivate func later(by span: TimeSpan) -> Instant {
    self == .distantFuture || span == .forever ? .distantFuture : self + span
  }
}

extension Call {
  /// A timeout in seconds; nil and below 0: none.
  func timeout(_ index: Int) throws(CallError) -> TimeSpan? {
    switch self[index].kind {
    case CBL_LUA_NIL: return nil
    case CBL_LUA_INTEGER, CBL_LUA_NUMBER:
      if self[index].number < 0 { return nil }
      guard let span = TimeSpan(seconds: self[index].number) else {
        throw .misuse(luaNumber(index), "the timeout must be nil or a number of seconds")
      }
      return span == .forever ? nil : span
    default: throw expected("number", index)
    }
  }

  /// Runs a try of LuaSocket's dialect, which reports a failure by a word. Where it would block, the call waits.
  ///
  /// - Returns: nil if it is done.
  fileprivate func attempt(
    _ box: SocketBox, isReceive: Bool,
    _ body: (inout Socket, Instant, inout Bool) throws(Socket.Stop) -> Void
  ) throws(CallError) -> Errno? {
    let hasTimeout = box.dialect.shortest != nil
    if !pointee.kept.is_retry {
      let now = hasTimeout ? Clock.now() : .distantFuture
      if isReceive { box.dialect.receiveBegan = now } else { box.dialect.sendBegan = now }
      let deadline = box.dialect.deadline(of: now, hasMoved: false)
      pointee.kept.deadline = min(deadline, box.socket.bound).nanoseconds
    }
    var hasMoved = false
    do throws(Socket.Stop) {
      try body(&box.socket, Instant(nanoseconds: pointee.kept.deadline), &hasMoved)
      box.socket.awaited = 0
      return nil
    } catch {
      switch error {
      case .failed(let errno):
        box.socket.awaited = 0
        return errno
      case .timedOut(let events)
      where !hasMoved || box.dialect.block == nil || box.dialect.total == nil:
        box.socket.awaited = events
        box.socket.awaitedUntil = .distantFuture
        return .timedOut
      case .wouldBlock(let events), .timedOut(let events):
        if hasMoved {
          let began = isReceive ? box.dialect.receiveBegan : box.dialect.sendBegan
          let deadline = box.dialect.deadline(of: began, hasMoved: true)
          pointee.kept.deadline = min(deadline, box.socket.bound).nanoseconds
        }
        let deadline = Instant(nanoseconds: pointee.kept.deadline)
        box.socket.awaited = events
        box.socket.awaitedUntil = deadline
        throw .wait(box.socket.number, events: events, until: deadline)
      }
    }
  }

  /// Adds LuaSocket's word for an error; "closed" for the end of the stream.
  fileprivate func add(word errno: Errno) {
    switch errno {
    case .timedOut: add("timeout")
    case .brokenPipe, .connectionReset, .connectionAborted: add("closed")
    case .connectionRefused: add("connection refused")
    case .accessDenied: add("permission denied")
    case .addressInUse: add("address already in use")
    case .isConnected: add("already connected")
    case .nameNotKnown, .nameWithoutAddress: add("host or service not provided, or not known")
    case .resolverTryAgain: add("temporary failure in name resolution")
    default:
      if errno.number > 0, let text = Syscalls.errorText(errno.number) {
        var value = cbl_lua_value(kind: CBL_LUA_TEXT)
        value.bytes = UnsafeRawPointer(text)
        while text[value.count] != 0 { value.count += 1 }
        add(value)
      } else {
        add(errno.words)
      }
    }
  }
}

/// Arguments: "l", "a" or a number of bytes. Returns the text; where it is not whole, what came of it and a word.
@c @implementation public func cbl_lua_socket_receive(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let pattern: Socket.Pattern
    if call[0].kind == CBL_LUA_TEXT {
      pattern = call[0].raw.first == UInt8(ascii: "a") ? .all : .line
    } else {
      pattern = .bytes(try call.integer(0, "the size", in: 0...Int.max))
    }
    let total = box.dialect.total
    var value: UnsafeRawBufferPointer?
    let failure = try call.attempt(box, isReceive: true) {
      (socket, deadline, hasMoved) throws(Socket.Stop) in
      value = try socket.tryReceive(
        pattern, before: deadline, endsAtDeadline: total != nil && total != .zero,
        hasMoved: &hasMoved)
    }
    call.add(cbl_lua_value(kind: CBL_LUA_TEXT, value ?? box.socket.takeBuffered()))
    // Pushing the text copies it before it can run a finalizer; the word is not in the socket's buffer.
    if value == nil { call.add(word: failure ?? .brokenPipe) }
  }
}

/// Arguments: text, how many of its bytes to leave out, how many to send. Returns how many were sent; where those
/// are not all, a word.
@c @implementation public func cbl_lua_socket_send(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    guard call[0].kind == CBL_LUA_TEXT else { throw call.expected("string", 0) }
    let size = call[0].count
    let first = try call.integer(1, "the offset", in: 0...size)
    let count = try call.integer(2, "the size", in: 0...size - first)
    let failure = try call.attempt(box, isReceive: false) {
      (socket, deadline, hasMoved) throws(Socket.Stop) in
      let before = call.pointee.kept.progress
      var slice = cbl_posix_slice(
        bytes: call[0].bytes.map { $0 + first + before }, count: count - before)
      defer { hasMoved = call.pointee.kept.progress > before }
      try withUnsafeMutablePointer(to: &slice) { slice throws(Socket.Stop) in
        try socket.tryWrite(
          UnsafeMutableBufferPointer(start: slice, count: 1), written: &call.pointee.kept.progress,
          before: deadline)
      }
    }
    call.add(call.pointee.kept.progress)
    if let failure { call.add(word: failure) }
  }
}

/// Arguments: nothing, or the numbers of `setstats`: received, sent, age; nil leaves one as it is. Returns the
/// three.
@c @implementation public func cbl_lua_socket_stats(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let received = Double(box.socket.takenCount)
    let sent = Double(box.socket.sentCount)
    let now = Clock.now()
    if !call.isNil(0) { box.dialect.receivedOffset = call[0].number - received }
    if !call.isNil(1) { box.dialect.sentOffset = call[1].number - sent }
    if !call.isNil(2), let age = TimeSpan(seconds: call[2].number), age != .forever {
      box.birthday = Instant(nanoseconds: now.nanoseconds - age.nanoseconds)
    }
    call.add(cbl_lua_value(received + box.dialect.receivedOffset))
    call.add(cbl_lua_value(sent + box.dialect.sentOffset))
    call.add(cbl_lua_value((now - box.birthday).seconds))
  }
}

/// Whether there are bytes that a read can take without a system call.
@c @implementation public func cbl_lua_socket_dirty(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(try call.openBox().socket.buffered.count > 0)
  }
}

/// Argument: "r" or "w". Waits for the event once, within the socket's limits. Returns whether there is time left.
@c @implementation public func cbl_lua_socket_await(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    if !call.pointee.kept.is_retry { call.pointee.kept.deadline = box.socket.deadline.nanoseconds }
    let deadline = Instant(nanoseconds: call.pointee.kept.deadline)
    let hasTime = deadline == .distantFuture || Clock.now() < deadline
    if call.pointee.kept.is_retry || !hasTime {
      box.socket.awaited = 0
      call.add(hasTime)
      return
    }
    let isWrite = try call.text(0).equals("w")
    let events = CInt(isWrite ? CBL_POSIX_WRITABLE : CBL_POSIX_READABLE)
    box.socket.awaited = events
    box.socket.awaitedUntil = deadline
    throw .wait(box.socket.number, events: events, until: deadline)
  }
}

/// Argument: a code, "ECONNREFUSED". Returns what LuaSocket calls the error.
@c @implementation public func cbl_lua_error_word(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(word: Errno(name: try call.text(0)) ?? .invalidArgument)
  }
}

/// Seconds since 1970, with those after the point.
@c @implementation public func cbl_lua_wall_clock(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(cbl_lua_value(Double(Clock.wallNanoseconds()) / 1_000_000_000))
  }
}

extension Call {
  /// Two arguments: a descriptor and its events, "r", "w" or "rw".
  fileprivate func descriptorAndEvents(at index: Int) -> (number: CInt, events: CInt) {
    var events: CInt = 0
    for letter in self[index + 1].raw {
      if letter == UInt8(ascii: "r") { events |= CInt(CBL_POSIX_READABLE) }
      if letter == UInt8(ascii: "w") { events |= CInt(CBL_POSIX_WRITABLE) }
    }
    return (CInt(clamping: self[index].integer), events)
  }
}

/// Arguments: a descriptor, events. Returns whether it is readable now, and whether it is writable. An error or
/// the end of the stream makes it both, as `select` has it.
@c @implementation public func cbl_lua_ready(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let (number, events) = call.descriptorAndEvents(at: 0)
    let ready: CInt
    do throws(Errno) { ready = try Syscalls.poll(number, events: events, for: .zero) } catch {
      throw .failed(error)
    }
    let failed = ready > 0 && ready & ~CInt(CBL_POSIX_READABLE | CBL_POSIX_WRITABLE) != 0
    for event in [CInt(CBL_POSIX_READABLE), CInt(CBL_POSIX_WRITABLE)] {
      call.add(events & event != 0 && ready > 0 && (failed || ready & event != 0))
    }
  }
}

/// Arguments: descriptors and events, by turns. Returns an object whose descriptor is readable when one of them is
/// ready.
@c @implementation public func cbl_lua_poll_set(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    do throws(Errno) {
      let set = SocketBox(Socket(try Syscalls.epollCreate()))
      var index = 0
      while index + 1 < call.count {
        let (number, events) = call.descriptorAndEvents(at: index)
        try Syscalls.epollAdd(set.socket.number, number, events: events, tag: 0)
        index += 2
      }
      call.add(made: set)
    } catch {
      throw .failed(error)
    }
  }
}
