import CConnectByListLua
import ConnectByList
import ConnectByListCore

/// A connect that a script drives step by step: `net.start`, and every connect with a callback or a waiter.
final class OperationBox {
  let operation: Operation
  let list: ListBox
  /// The socket that gets the connection; nil: one is made.
  let target: SocketBox?
  /// What `target` was before it became the candidate that the script is checking.
  var parked: SocketBox?
  /// The attempt whose connection the script is checking.
  var candidate: AttemptID?
  /// Once it has ended.
  var result: RaceResult?
  var report: ConnectReport?
  /// How many events of this round the script has been told.
  var toldCount = 0
  var toldRound = 1

  init(_ operation: Operation, _ list: ListBox, _ target: SocketBox?) {
    self.operation = operation
    self.list = list
    self.target = target
  }

  // Its coroutine may be collected while a check waits.
  deinit { unpark() }

  /// Makes the target the candidate. What the script has set on it is put aside, but for the longest line.
  func park(under candidate: consuming Socket) {
    guard let target else { return }
    var socket = candidate
    socket.lineMax = target.socket.lineMax
    swap(&target.socket, &socket)
    let parked = SocketBox(socket)
    swap(&target.knownDialect, &parked.knownDialect)
    swap(&target.birthday, &parked.birthday)
    self.parked = parked
  }

  /// Makes the target again what it was. The candidate, unless its descriptor was handed over, is closed.
  func unpark() {
    guard let target, let parked else { return }
    self.parked = nil
    swap(&target.socket, &parked.socket)
    target.knownDialect = parked.knownDialect
    target.birthday = parked.birthday
    target.candidateName = nil
    parked.socket.closeNow()
  }

  /// How long the check of a candidate may take: `attempt_timeout`; where none is set, half of the time left, or
  /// 5 s without a deadline, if others may still be tried; never beyond the deadline.
  func limitOfCheck(at now: Instant) -> Instant {
    let race = operation.race
    var span = TimeSpan.forever
    if let timeout = operation.options.attemptTimeout {
      span = timeout
    } else if race.hasOthers(than: candidate) {
      span = race.deadline == .distantFuture ? .seconds(5) : (race.deadline - now) / 2
    }
    return span == .forever ? race.deadline : min(race.deadline, now + span)
  }
}

extension Call {
  fileprivate var operationBox: OperationBox { this(OperationBox.self) }
}

/// Arguments: list, options, a socket to connect or nil. Returns an operation, or nil, message, code, report.
@c @implementation public func cbl_lua_operation_new(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let list = try call.readList()
    let request = try call.readRequest()
    let target: SocketBox? = try call.targetAfterOptions()
    let operation = try call.begin(&report) { () throws(ConnectError) in
      if let target { return try target.socket.startConnecting(list.list, request) }
      return try Operation(list.list, request)
    }
    call.add(made: OperationBox(operation, list, target))
  }
  return call.finish(verdict, report)
}

extension Call {
  /// The third argument. The fields of the second, where it is a table, stand between.
  fileprivate func targetAfterOptions() throws(CallError) -> SocketBox? {
    guard count > 2 else { return nil }
    let value = FieldReader.valueAfter(pointee.arguments + 1).pointee
    guard value.kind == CBL_LUA_OBJECT, value.type == CInt(CBL_LUA_TYPE_SOCKET.rawValue) else {
      return nil
    }
    guard let object = value.bytes else { throw .closed }
    let box = Unmanaged<SocketBox>.fromOpaque(object).takeUnretainedValue()
    guard box.socket.isOpen else { throw .closed }
    return box
  }
}

/// Takes in what has happened. Returns false: it goes on; "check": a candidate has to be checked; "won"; "lost".
@c @implementation public func cbl_lua_operation_advance(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.operationBox
    guard box.result == nil else { throw .misuse(0, "the operation has ended") }
    switch box.operation.advance() {
    case .pending:
      if box.operation.isShort { throw .collect }
      call.add(false)
    case .validate(let id):
      box.candidate = id
      call.add("check")
    case .finished(let result):
      box.result = result
      box.report = box.operation.makeReport(result)
      box.operation.remember(in: &box.list.list)
      if case .won = result { call.add("won") } else { call.add("lost") }
    }
  }
}

/// The connection of the candidate or of the winner, as a socket; nil where it is the target.
@c @implementation public func cbl_lua_operation_take(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.operationBox
    if let result = box.result {
      do throws(ConnectError) {
        if let target = box.target {
          try target.socket.concludeConnecting(box.operation, result)
          call.addNil()
        } else {
          call.add(made: SocketBox(try box.operation.connection(result)))
        }
      } catch {
        throw .failed(error)
      }
      return
    }
    guard let id = box.candidate, let descriptor = box.operation.takeDescriptor(of: id) else {
      throw .misuse(0, "there is no candidate")
    }
    let socket: SocketBox
    if let target = box.target {
      box.park(under: Socket(descriptor))
      socket = target
      call.addNil()
    } else {
      socket = SocketBox(Socket(descriptor))
    }
    let race = box.operation.race
    if let name = race.name(of: race.attempts[id.index].pair) {
      socket.candidateName = box.operation.names[Int(name.number)].name.host
    }
    socket.socket.limit = box.limitOfCheck(at: Clock.now())
    if box.target == nil { call.add(made: socket) }
  }
}

/// Argument: the candidate's socket. Returns whether it is accepted: a check that has taken too long rejects.
@c @implementation public func cbl_lua_operation_accept(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.operationBox
    guard call[0].bytes != nil else {
      throw .misuse(0, "the check has closed the socket that it accepts")
    }
    let socket: SocketBox = try call.object(0, CBL_LUA_TYPE_SOCKET, "socket")
    guard let id = box.candidate else { throw .misuse(0, "there is no candidate") }
    box.candidate = nil
    guard Clock.now() < socket.socket.limit else {
      box.operation.reject(id, .timedOut)
      call.add(false)
      return
    }
    socket.socket.limit = .distantFuture
    // The check's own timeouts do not outlive it.
    socket.socket.timeout = nil
    socket.socket.finalDeadline = .distantFuture
    socket.knownDialect?.block = nil
    socket.knownDialect?.total = nil
    box.operation.accept(id, descriptor: socket.socket.isOpen ? socket.socket.number : -1)
    call.add(true)
  }
}

/// Argument: the candidate's socket. Rejects and closes it, unless the check has taken its descriptor out.
@c @implementation public func cbl_lua_operation_reject(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.operationBox
    let value = call[0]
    if value.kind == CBL_LUA_OBJECT, value.type == CInt(CBL_LUA_TYPE_SOCKET.rawValue),
      let object = value.bytes
    {
      let socket = Unmanaged<SocketBox>.fromOpaque(object).takeUnretainedValue()
      let isLate = Clock.now() >= socket.socket.limit
      if box.target == nil { socket.socket.closeNow() } else { box.unpark() }
      if let id = box.candidate { box.operation.reject(id, isLate ? .timedOut : nil) }
    } else if let id = box.candidate {
      box.operation.reject(id, nil)
    }
    box.candidate = nil
  }
}

/// Argument: the accepted socket, whose race has been won. Gives it the report; the target gets its connection
/// under its own descriptor, unless the check has taken the connection out.
@c @implementation public func cbl_lua_operation_conclude(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.operationBox
    let socket: SocketBox = try call.object(0, CBL_LUA_TYPE_SOCKET, "socket")
    guard let parked = box.parked else {
      if let report = box.report { socket.socket.attach(report) }
      return
    }
    defer { box.unpark() }
    guard socket.socket.isOpen, let result = box.result else { return }
    do throws(ConnectError) {
      try parked.socket.concludeConnecting(box.operation, result, takingOver: &socket.socket)
    } catch {
      throw .failed(error)
    }
  }
}

/// Argument: the name of the function for the message. Returns nil, message, code, report.
@c @implementation public func cbl_lua_operation_failure(_ call: Call!) -> cbl_lua_verdict {
  let box = call.operationBox
  let verdict = call.perform { (call) throws(CallError) in
    guard let report = box.report, let errno = report.errno else {
      throw .misuse(0, "the operation has not failed")
    }
    var text = TextBuffer()
    text.append(try call.text(0))
    text.append(": ")
    text.append(report.summary().bytes)
    throw .failed(errno, text)
  }
  call.pointee.names_method = false
  return call.finish(verdict, box.report)
}

/// The events since the last call, an array of tables.
@c @implementation public func cbl_lua_operation_log(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.operationBox
    let race = box.operation.race
    if race.round != box.toldRound { (box.toldRound, box.toldCount) = (race.round, 0) }
    let count = race.eventCount
    let first = min(box.toldCount, count)
    let reply = Reply()
    reply.table(count: count - first) {
      for index in first..<count {
        reply.add(cbl_lua_value(index - first + 1))
        reply.table(count: 8) { add(race.event(at: index), of: box.operation, to: reply) }
      }
    }
    box.toldCount = count
    try call.answer(reply)
  }
}

private func add(_ event: RaceEvent, of operation: Operation, to reply: Reply) {
  let race = operation.race
  reply.set("time", cbl_lua_value((event.time - race.began).seconds))
  reply.set("event", cbl_lua_value(event.kind.word))
  if let id = event.attempt {
    let attempt = race.attempts[id.index]
    reply.set("attempt", cbl_lua_value(id.index + 1))
    reply.set("local_address", attempt.local ?? race.plan.local(of: attempt.pair))
    let remote = race.plan.remote(of: attempt.pair)
    reply.set("remote_address", remote, unixPath: race.plan.unixPaths[remote])
  }
  if let id = event.name {
    reply.key("name")
    reply.add(copying: operation.names[Int(id.number)].name.host)
  }
  if let count = event.count { reply.set("count", cbl_lua_value(count)) }
  if let errno = event.errno {
    var text = TextBuffer()
    text.append(errno)
    reply.set("code", text)
  }
}

/// A descriptor that is readable when a step is due.
@c @implementation public func cbl_lua_operation_pollfd(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    do throws(Errno) { call.add(Int(try call.operationBox.operation.pollDescriptor())) } catch {
      throw .failed(error)
    }
  }
}

@c @implementation public func cbl_lua_operation_events(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add("r") }
}

/// Seconds until a step is due without an event; nil: never.
@c @implementation public func cbl_lua_operation_timeout(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(secondsUntil: call.operationBox.operation.wakeUp)
  }
}

@c @implementation public func cbl_lua_operation_cancel(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.operationBox
    if box.result == nil { box.operation.cancel() }
  }
}

/// The report of the operation; nil until it has ended.
@c @implementation public func cbl_lua_operation_report(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    if let report = call.operationBox.report {
      call.add(made: ReportBox(report))
    } else {
      call.addNil()
    }
  }
}

/// Blocks until a step is due.
@c @implementation public func cbl_lua_operation_wait(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let operation = call.operationBox.operation
    if let errno = call.failureOfWait { return operation.waitFailed(errno) }
    guard !call.pointee.kept.is_retry else { return }
    let (number, events) = operation.waitsFor
    throw .wait(number, events: events, until: operation.wakeUp)
  }
}

/// Ends it: every descriptor of its own is closed.
@c @implementation public func cbl_lua_operation_close(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(true) }
}

@c @implementation public func cbl_lua_release_operation(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<OperationBox>.fromOpaque(object).release()
}
