import CConnectByListLua
import ConnectByList
import ConnectByListCore

// Reads the options table of a connect. The options and their ranges are the rows of
// `ConnectOption.table`.

extension Call {
  /// Reads the options table at an index into a request; nil changes nothing.
  func readOptions(_ index: Int, into request: inout ConnectRequest) throws(CallError) {
    if isNil(index) { return }
    guard self[index].kind == CBL_LUA_TABLE else { throw expected("table", index) }
    let argument = luaNumber(index)
    for (key, value) in FieldReader(pointee.arguments + index) {
      guard key.kind == CBL_LUA_TEXT else { throw .misuse(argument, "option names are strings") }
      guard let option = ConnectOption.named(key.text) else {
        throw unknownConnectOption(key.text, argument)
      }
      try read(option, value, into: &request, argument)
    }
  }

  private func read(
    _ option: ConnectOption, _ value: FieldReader.Field, into request: inout ConnectRequest,
    _ argument: Int
  ) throws(CallError) {
    switch option.kind {
    case .localAddresses:
      request.options.locals = try localAddresses(option, value, argument)
    case .interface:
      guard value.kind == CBL_LUA_TEXT else { throw wrongValue(of: option, value, argument) }
      request.settings.interface = value.value.text
    case .socketOptions:
      guard value.kind == CBL_LUA_TABLE else { throw wrongValue(of: option, value, argument) }
      try readSocketOptions(value, into: &request.settings, argument)
    case .function:
      // The C half passes a function as its type's name; lua/ calls it.
      guard value.kind == CBL_LUA_OTHER, value.value.text.equals("function") else {
        throw wrongValue(of: option, value, argument)
      }
      if [UInt8](option.name).equals("validate") { request.options.validates = true }
    case .boolean, .span, .bound, .whole, .word:
      guard option.set(OptionValue(value.value), in: &request.options) else {
        throw wrongValue(of: option, value, argument)
      }
    }
  }

  private func localAddresses(
    _ option: ConnectOption, _ value: FieldReader.Field, _ argument: Int
  ) throws(CallError) -> ConnectOptions.Locals {
    if value.kind == CBL_LUA_BOOLEAN && value.value.integer == 0 { return .routeOnly }
    guard value.kind == CBL_LUA_TABLE else { throw wrongValue(of: option, value, argument) }
    var addresses: [Endpoint] = []
    for (_, element) in value.fields {
      guard let address = localAddress(element.value) else {
        throw wrongLocalAddress(option, element, argument)
      }
      addresses.append(address)
    }
    guard !addresses.isEmpty else {
      throw .misuse(
        argument, "option 'local_addresses': the array is empty; false means the route's choice")
    }
    return .these(addresses)
  }

  /// An IP literal without a port, or an address with its port. Lua passes an address object as text.
  private func localAddress(_ value: cbl_lua_value) -> Endpoint? {
    guard value.kind == CBL_LUA_TEXT else { return nil }
    let text = value.text
    if let address = EndpointText.parseAddress(text, scopes: SystemScopes()) {
      return Endpoint(address.unmapped, port: 0)
    }
    guard
      let entry = try? EndpointText.parseEntry(text, defaultPort: nil, scopes: SystemScopes()),
      case .endpoint(let endpoint) = entry
    else { return nil }
    return endpoint.unmapped
  }

  /// The name of an interface in place of an address is a common mistake.
  private func wrongLocalAddress(
    _ option: ConnectOption, _ element: FieldReader.Field, _ argument: Int
  ) -> CallError {
    var text = optionProblem(
      [UInt8](option.name), element.value, expected: option.allowed.bytes)
    let name = element.kind == CBL_LUA_TEXT ? element.value.text : []
    if !name.isEmpty && SystemScopes().index(ofInterface: name) != nil {
      text.append("; to connect through an interface: interface = '")
      text.append(escaped: name)
      text.append("'")
    }
    return .misuse(argument: argument, text)
  }

  private func wrongValue(
    of option: ConnectOption, _ value: FieldReader.Field, _ argument: Int
  ) -> CallError {
    .misuse(
      argument: argument,
      optionProblem([UInt8](option.name), value.value, expected: option.allowed.bytes))
  }

  /// A socket option among those of the connect is in the wrong table.
  private func unknownConnectOption(_ name: [UInt8], _ argument: Int) -> CallError {
    let names = ConnectOption.table.map { $0.name }
    guard SocketOption.named(name) != nil else {
      return unknownOption(name, among: names, argument)
    }
    var text = TextBuffer()
    text.append("unknown option '")
    text.append(escaped: name)
    text.append("'; it is a socket option: socket = {")
    text.append(escaped: name)
    text.append(" = …}")
    return .misuse(argument: argument, text)
  }

  func unknownOption(
    _ name: [UInt8], among names: [StaticString], _ argument: Int
  ) -> CallError {
    .misuse(argument: argument, unknownOptionText(name, among: names))
  }
}

/// A name as C has it, `TCP_NODELAY`, without its level and in lower case; any other as it is.
private func withoutLevel(_ name: [UInt8]) -> [UInt8] {
  let levels: [StaticString] = ["tcp_", "so_", "ipv6_", "ip_"]
  let small = name.prefix(64).map { byte in
    UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
  }
  for level in levels where Array(small.prefix(level.utf8CodeUnitCount)).equals(level) {
    return Array(small.dropFirst(level.utf8CodeUnitCount))
  }
  return name
}

/// `unknown option 'timout'; did you mean 'timeout'?`
func unknownOptionText(_ name: [UInt8], among names: [StaticString]) -> TextBuffer {
  var text = TextBuffer()
  text.append("unknown option '")
  text.append(escaped: name)
  text.append("'")
  if let nearest = NearestName.nearest(to: withoutLevel(name), in: names) {
    text.append("; did you mean '")
    text.append(nearest)
    text.append("'?")
  }
  return text
}

extension OptionValue {
  init(_ value: cbl_lua_value) {
    switch value.kind {
    case CBL_LUA_BOOLEAN: self = .boolean(value.integer == 1)
    case CBL_LUA_INTEGER, CBL_LUA_NUMBER: self = .number(value.number)
    case CBL_LUA_TEXT: self = .text(value.text)
    default: self = .other
    }
  }
}

/// `option 'timeout' must be a number of seconds, 0 or more; got -1`
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
    // Embedded Swift cannot format a fraction.
    if let whole = Int(exactly: value.number) {
      text.append(decimal: whole)
    } else if value.number.isNaN {
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
