import CConnectByListLua
import ConnectByList
import ConnectByListCore

extension Call {
  /// The first argument.
  func readList() throws(CallError) -> ListBox {
    try object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
  }

  /// The options, an argument.
  func readRequest(_ index: Int = 1) throws(CallError) -> ConnectRequest {
    var request = ConnectRequest()
    request.policy = policy
    try readOptions(index, into: &request)
    return request
  }

  /// Begins a connect that may have garbage collected for want of descriptors.
  func begin(
    _ report: inout ConnectReport?, _ make: () throws(ConnectError) -> Operation
  ) throws(CallError) -> Operation {
    let operation = try noting(&report, make)
    operation.canFreeDescriptors = true
    return operation
  }

  /// Begins to connect; `options`: the index of the argument. The list does not change: it is `inout` because a
  /// property of an object would be copied otherwise (250 instructions).
  func begin(
    _ list: inout AddressList, options: Int, _ report: inout ConnectReport?
  ) throws(CallError) -> Operation {
    var request = ConnectRequest()
    request.policy = policy
    try readOptions(options, into: &request)
    do throws(ConnectError) {
      let operation = try Operation(list, request)
      operation.canFreeDescriptors = true
      return operation
    } catch {
      report = error.report
      throw .failed(error)
    }
  }

  /// Makes the error of a connect the call's, and keeps its report.
  func noting<Result: ~Copyable>(
    _ report: inout ConnectReport?, _ body: () throws(ConnectError) -> Result
  ) throws(CallError) -> Result {
    do throws(ConnectError) { return try body() } catch {
      report = error.report
      throw .failed(error)
    }
  }

  /// Adds the report of a connect that has failed to the results.
  func finish(_ verdict: cbl_lua_verdict, _ report: ConnectReport?) -> cbl_lua_verdict {
    if verdict == CBL_LUA_FAILED, let report { add(made: ReportBox(report)) }
    return verdict
  }

  /// The operation that an earlier try of this call has begun.
  var pendingOperation: Operation? {
    guard let pending = pointee.kept.pending else { return nil }
    return Unmanaged<Operation>.fromOpaque(pending).takeUnretainedValue()
  }

  /// Drives an operation to its end; where it has to wait, the call does, and keeps it.
  func drive(_ operation: Operation) throws(CallError) -> RaceResult {
    let isNew = pointee.kept.pending == nil
    var progress = isNew ? operation.advance() : operation.advance(after: pointee.kept.ready)
    while true {
      switch progress {
      case .pending:
        if isNew { pointee.kept.pending = Unmanaged.passRetained(operation).toOpaque() }
        if operation.isShort { throw .collect }
        let (number, events) = operation.waitsFor
        throw .wait(number, events: events, until: operation.wakeUp)
      case .validate(let id):
        operation.accept(id)
        progress = operation.advance()
      case .finished(let result):
        if !isNew {
          pointee.kept.pending = nil
          Unmanaged.passUnretained(operation).release()
        }
        return result
      }
    }
  }
}

extension Call {
  /// Connects to an entry of a list; `options`: the index of the argument.
  fileprivate func connect(
    _ list: ListBox, options: Int, _ report: inout ConnectReport?
  ) throws(CallError) {
    let operation: Operation
    if let pending = pendingOperation {
      operation = pending
    } else {
      operation = try begin(&list.list, options: options, &report)
    }
    let result = try drive(operation)
    operation.remember(in: &list.list)
    let connection = try noting(&report) { () throws(ConnectError) in
      try operation.connection(result)
    }
    add(made: SocketBox(connection))
  }
}

/// Arguments: list, options. Returns a socket, or nil, message, code, report.
@c @implementation public func cbl_lua_connect(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    try call.connect(try call.readList(), options: 1, &report)
  }
  return call.finish(verdict, report)
}

/// self: a list. The same as `cbl_lua_connect` without options.
@c @implementation public func cbl_lua_connect_list(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    try call.connect(call.this(ListBox.self), options: 0, &report)
  }
  return call.finish(verdict, report)
}

/// self: a socket that is not connected yet. Arguments: list, options. Returns self, or nil, message,
/// code, report.
@c @implementation public func cbl_lua_connect_socket(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let socket = try call.openBox()
    let list = try call.readList()
    let operation: Operation
    if let pending = call.pendingOperation {
      operation = pending
    } else {
      let request = try call.readRequest()
      operation = try call.begin(&report) { () throws(ConnectError) in
        try socket.socket.startConnecting(list.list, request)
      }
    }
    let result = try call.drive(operation)
    operation.remember(in: &list.list)
    try call.noting(&report) { () throws(ConnectError) in
      try socket.socket.concludeConnecting(operation, result)
    }
    call.addSelf()
  }
  return call.finish(verdict, report)
}

@c @implementation public func cbl_lua_release_pending(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<Operation>.fromOpaque(object).release()
}

extension Reply {
  /// The field `names`: what is to be looked up, an array of host, port (none for SRV records) and entry.
  fileprivate func addNames(of list: AddressList) {
    let names = list.names
    key("names")
    table(count: names.count) {
      for (index, (name, entry)) in names.enumerated() {
        add(cbl_lua_value(index + 1))
        table(count: 3) {
          set(name)
          set("entry", cbl_lua_value(Int(entry) + 1))
        }
      }
    }
  }
}

/// Arguments: list, options. Returns the plan as an array of pairs, in the order of their ranks.
@c @implementation public func cbl_lua_explain(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box: ListBox = try call.object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
    var request = ConnectRequest()
    request.policy = call.policy
    try call.readOptions(1, into: &request)
    let race: Race
    do throws(ConnectError) { race = try request.explain(box.list) } catch {
      throw .failed(error)
    }
    let rows = race.rows()
    let reply = Reply()
    reply.table(count: rows.count + 1) {
      for (index, row) in rows.enumerated() {
        reply.add(cbl_lua_value(index + 1))
        reply.table(count: 8) {
          reply.addPair(row, of: race, local: race.plan.local(of: row.pair))
          reply.addDelay(row, of: race)
        }
      }
      reply.addNames(of: box.list)
    }
    try call.answer(reply)
  }
}
