import CConnectByListLua
import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// Argument: seconds.
@c @implementation public func cbl_lua_sleep(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let until = try call.keptDeadline { (call) throws(CallError) in try call.span(0) }
    if let errno = call.failureOfWait { throw .failed(errno) }
    if Clock.now() < until { throw .wait(-1, events: 0, until: until) }
  }
}

/// The monotonic clock, in seconds.
@c @implementation public func cbl_lua_now(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(cbl_lua_value(Double(Clock.now().nanoseconds) / 1_000_000_000))
  }
}

/// Arguments: a descriptor or nil, "r", "w" or "rw", seconds or nil. Blocks until an event has come or the time
/// has passed.
@c @implementation public func cbl_lua_poll(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let number = call.isNil(0) ? -1 : try call.integer(0)
    var events: CInt = 0
    if !call.isNil(1) {
      for letter in try call.text(1) {
        if letter == UInt8(ascii: "r") { events |= CInt(CBL_POSIX_READABLE) }
        if letter == UInt8(ascii: "w") { events |= CInt(CBL_POSIX_WRITABLE) }
      }
    }
    let until = try call.keptDeadline { (call) throws(CallError) in
      call.isNil(2) ? .forever : try call.span(2)
    }
    if let errno = call.failureOfWait { throw .failed(errno) }
    if call.pointee.kept.ready != 0 || call.pointee.kept.is_retry && Clock.now() >= until { return }
    guard let number = CInt(exactly: number) else { throw .misuse(1, "not a descriptor") }
    throw .wait(number, events: events, until: until)
  }
}

extension Call {
  /// Why the wait before this try of the call failed; `nil`: it did not. To wait again would not end.
  var failureOfWait: Errno? { pointee.kept.ready < 0 ? Errno(-pointee.kept.ready) : nil }

  /// A number of seconds, 0 or more.
  func span(_ index: Int) throws(CallError) -> TimeSpan {
    let value = self[index]
    guard value.kind == CBL_LUA_INTEGER || value.kind == CBL_LUA_NUMBER else {
      throw expected("number", index)
    }
    guard let span = TimeSpan(seconds: value.number) else {
      throw .misuse(luaNumber(index), "a number of seconds, 0 or more, expected")
    }
    return span
  }

  /// The end of a span that began with the first try of the call.
  func keptDeadline(
    _ span: (Call) throws(CallError) -> TimeSpan
  ) throws(CallError) -> Instant {
    if !pointee.kept.is_retry {
      let span = try span(self)
      pointee.kept.deadline = (span == .forever ? .distantFuture : Clock.now() + span).nanoseconds
    }
    return Instant(nanoseconds: pointee.kept.deadline)
  }
}
