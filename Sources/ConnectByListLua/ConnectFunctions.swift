import CConnectByListLua
import ConnectByList
import ConnectByListCore

extension Call {
  /// The options table at an index, spread out behind it; nil: the defaults.
  func request(_ index: Int) throws(CallError) -> ConnectRequest {
    var request = ConnectRequest()
    if isNil(index) { return request }
    guard self[index].kind == CBL_LUA_TABLE else { throw expected("table", index) }
    var reader = FieldReader(pointee.arguments + index)
    while let (key, value) = reader.next() {
      guard key.kind == CBL_LUA_TEXT else {
        throw .misuse(luaNumber(index), "option names are strings")
      }
      try take(key.text, value, into: &request, luaNumber(index))
    }
    return request
  }

  private func take(
    _ name: [UInt8], _ value: FieldReader.Field, into request: inout ConnectRequest,
    _ argument: Int
  ) throws(CallError) {
    func refuse(_ what: StaticString) -> CallError {
      .misuse(argument: argument, optionProblem(name, value, expected: what))
    }
    if name.equals("interface") {
      guard value.kind == CBL_LUA_TEXT else { throw refuse("the name of an interface") }
      request.settings.interface = value.value.text
    } else if name.equals("local_addresses") {
      request.options.locals = try locals(name, value, argument)
    } else if name.equals("socket") {
      guard value.kind == CBL_LUA_TABLE else { throw refuse("a table of socket options") }
      try takeSocketOptions(value, into: &request.settings, argument)
    } else {
      do throws(OptionError) {
        try request.options.set(name, to: try optionValue(value))
      } catch {
        switch error {
        case .unknown:
          let beside: [StaticString] = ["interface", "local_addresses", "socket"]
          throw unknownOption(name, among: OptionKey.table.map { $0.name } + beside, argument)
        case .wrongType(let expected), .outOfRange(let expected): throw refuse(expected.text)
        }
      }
    }
  }

  private func optionValue(_ field: FieldReader.Field) throws(OptionError) -> OptionValue {
    switch field.kind {
    case CBL_LUA_BOOLEAN: .boolean(field.value.integer == 1)
    case CBL_LUA_INTEGER, CBL_LUA_NUMBER: .number(field.value.number)
    case CBL_LUA_TEXT: .text(field.value.text)
    // No option takes a table or a function by this way; an empty text is no word of any.
    default: .text([])
    }
  }

  @inline(never)
  func unknownOption(
    _ name: [UInt8], among names: [StaticString], _ argument: Int
  ) -> CallError {
    var text = TextBuffer()
    text.append("unknown option '")
    text.append(escaped: name)
    text.append("'")
    if let near = ConnectOptions.nearest(to: name, among: names) {
      text.append("; did you mean '")
      text.append(near.text)
      text.append("'?")
    }
    return .misuse(argument: argument, text)
  }

  private func locals(
    _ name: [UInt8], _ field: FieldReader.Field, _ argument: Int
  ) throws(CallError) -> ConnectOptions.Locals {
    let what: StaticString = "an array of IP addresses, or false"
    if field.kind == CBL_LUA_BOOLEAN && field.value.integer == 0 { return .routeOnly }
    guard field.kind == CBL_LUA_TABLE else {
      throw .misuse(argument: argument, optionProblem(name, field, expected: what))
    }
    var chosen: [Endpoint] = []
    var reader = field.fields
    while let (_, value) = reader.next() {
      guard value.kind == CBL_LUA_TEXT else {
        throw .misuse(argument: argument, optionProblem(name, value, expected: what))
      }
      let text = value.value.text
      if let address = EndpointText.parseAddress(text, scopes: SystemScopes()) {
        chosen.append(Endpoint(address.unmapped, port: 0))
        continue
      }
      // An address object comes as its text, with its port.
      if let entry = try? EndpointText.parseEntry(text, defaultPort: nil, scopes: SystemScopes()),
        case .endpoint(let endpoint) = entry
      {
        chosen.append(endpoint.unmapped)
        continue
      }
      throw .misuse(argument: argument, optionProblem(name, value, expected: what))
    }
    guard !chosen.isEmpty else {
      throw .misuse(
        argument, "option 'local_addresses': the array is empty; false means the route's choice")
    }
    return .these(chosen)
  }
}

/// `option 'timeout' must be a number of seconds, 0 or more; got -1`.
private func optionProblem(
  _ name: [UInt8], _ field: FieldReader.Field, expected: StaticString
) -> TextBuffer {
  optionProblem(name, field.value, expected: [UInt8](expected))
}

func optionProblem(_ name: [UInt8], _ value: cbl_lua_value, expected: [UInt8]) -> TextBuffer {
  var text = TextBuffer()
  text.append("option '")
  text.append(escaped: name)
  text.append("' must be ")
  text.append(expected)
  text.append("; got ")
  switch value.kind {
  case CBL_LUA_INTEGER: text.append(decimal: Int(value.integer))
  case CBL_LUA_NUMBER:
    // Whole and small ones as they are; of the rest the type has to do.
    if let whole = Int(exactly: value.number) {
      text.append(decimal: whole)
    } else if value.number != value.number {
      text.append("NaN")
    } else {
      text.append("a number")
    }
  case CBL_LUA_TEXT:
    text.append("'")
    text.append(escaped: value.text)
    text.append("'")
  default: text.append(value.typeName)
  }
  return text
}

@c @implementation public func cbl_lua_connect(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let box: ListBox = try call.object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
    let request = try call.request(1)
    do throws(ConnectError) {
      call.add(made: SocketBox(try connectByList(&box.list, request)))
    } catch {
      report = error.report
      throw .failed(error)
    }
  }
  if let report { call.add(made: report) }
  return verdict
}

/// self is a socket that is not connected yet; list and options.
@c @implementation public func cbl_lua_connect_socket(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let socket = try call.openBox()
    let box: ListBox = try call.object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
    let request = try call.request(1)
    do throws(ConnectError) {
      try socket.socket.connect(&box.list, request)
      call.addSelf()
    } catch {
      report = error.report
      throw .failed(error)
    }
  }
  if let report { call.add(made: report) }
  return verdict
}

/// The plan as an array of pairs, in the order of ranks.
@c @implementation public func cbl_lua_explain(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box: ListBox = try call.object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
    let request = try call.request(1)
    let race: Race
    do throws(ConnectError) { race = try request.explain(box.list) } catch {
      throw .failed(error)
    }
    let rows = race.rows()
    let reply = Reply()
    reply.table(count: rows.count) {
      for (index, row) in rows.enumerated() {
        reply.add(cbl_lua_value(index + 1))
        reply.table(count: 5) { reply.addPair(row, of: race, local: race.plan.local(of: row.pair)) }
      }
    }
    call.answer(reply)
  }
}
