import CConnectByListLua
import ConnectByList
import ConnectByListCore

extension Call {
  /// Reads the table of socket options in a connect's options.
  func readSocketOptions(
    _ table: FieldReader.Field, into settings: inout SocketSettings, _ argument: Int
  ) throws(CallError) {
    for (key, value) in table.fields {
      // A key that is not a string is reported as the unknown option ''.
      let name = key.kind == CBL_LUA_TEXT ? key.text : []
      settings.add(try setting(named: name, argument, value, argument))
    }
  }

  fileprivate func socketOption(
    named name: [UInt8], _ argument: Int
  ) throws(CallError) -> SocketOption {
    guard let option = SocketOption.named(name) else {
      guard ConnectOption.named(name) != nil else {
        throw unknownOption(name, among: SocketOption.names, argument)
      }
      var text = TextBuffer()
      text.append("unknown option '")
      text.append(escaped: name)
      text.append("' of a socket; it is an option of the connect")
      throw .misuse(argument: argument, text)
    }
    return option
  }

  /// - Parameter value: `nil` if the script gave none.
  fileprivate func setting(
    named name: [UInt8], _ nameArgument: Int, _ value: FieldReader.Field?, _ valueArgument: Int
  ) throws(CallError) -> SocketOption.Setting {
    let option = try socketOption(named: name, nameArgument)
    guard option.isSettable else { throw refused(name, "can only be read", nameArgument) }
    if let value = socketOptionValue(option, value), let setting = option.setting(value) {
      return setting
    }
    let given = value?.value ?? cbl_lua_value()
    throw .misuse(
      argument: valueArgument, optionProblem(name, given, expected: option.allowed.bytes))
  }

  /// `option 'error' can only be read`
  fileprivate func refused(
    _ name: [UInt8], _ why: StaticString, _ argument: Int
  ) -> CallError {
    var text = TextBuffer()
    text.append("option '")
    text.append(escaped: name)
    text.append("' ")
    text.append(why)
    return .misuse(argument: argument, text)
  }

  private func socketOptionValue(
    _ option: SocketOption, _ field: FieldReader.Field?
  ) -> SocketOption.Value? {
    guard let field, field.kind != CBL_LUA_NIL else {
      // `sock:setoption("update_connect_context")`: the option is an action and needs no value.
      if case .context = option.kind { return .boolean(true) }
      return nil
    }
    switch field.kind {
    case CBL_LUA_BOOLEAN: return .boolean(field.value.integer == 1)
    case CBL_LUA_INTEGER: return .whole(field.value.integer)
    case CBL_LUA_NUMBER: return .number(field.value.number)
    case CBL_LUA_TEXT: return .text(field.value.text)
    case CBL_LUA_TABLE:
      if case .linger = option.kind { return lingerValue(field.fields) }
      return nil
    default: return nil
    }
  }

  /// LuaSocket's form, `{on = true, timeout = 5}`. Without `timeout` it is 0 seconds, as in LuaSocket.
  private func lingerValue(_ fields: FieldReader) -> SocketOption.Value? {
    var isOn: Bool?
    var timeout = SocketOption.Value.whole(0)
    for (key, value) in fields {
      guard key.kind == CBL_LUA_TEXT else { return nil }
      switch value.kind {
      case CBL_LUA_BOOLEAN where key.text.equals("on"): isOn = value.value.integer == 1
      case CBL_LUA_INTEGER where key.text.equals("timeout"),
        CBL_LUA_NUMBER where key.text.equals("timeout"):
        timeout = .number(value.value.number)
      default: return nil
      }
    }
    guard let isOn else { return nil }
    return isOn ? timeout : .boolean(false)
  }

  /// `tos: not connected`.
  fileprivate func failed(_ errno: Errno, _ name: [UInt8]) -> CallError {
    var text = TextBuffer()
    text.append(escaped: name)
    text.append(": ")
    text.append(errno.words)
    return .failed(errno, text)
  }
}

/// self: a socket. Arguments: name, value. Returns self.
@c @implementation public func cbl_lua_socket_setoption(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let name = try call.text(0)
    let value = call.count > 1 ? FieldReader.Field(pointer: call.pointee.arguments + 1) : nil
    let setting = try call.setting(named: name, 2, value, 3)
    do throws(Errno) { try box.socket.set(setting) } catch {
      throw call.failed(error, name)
    }
    call.addSelf()
  }
}

/// self: a socket. Argument: name. Returns the option's value.
@c @implementation public func cbl_lua_socket_getoption(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let name = try call.text(0)
    let option = try call.socketOption(named: name, 2)
    guard option.isReadable else { throw call.refused(name, "can only be set", 2) }
    let value: SocketOption.Value
    do throws(Errno) { value = try box.socket.value(of: option) } catch {
      throw call.failed(error, name)
    }
    switch value {
    case .boolean(let on): call.add(on)
    case .whole(let whole): call.add(Int(whole))
    case .number(let number): call.add(cbl_lua_value(number))
    case .text(let bytes):
      var text = TextBuffer()
      text.append(bytes)
      call.add(copying: text)
    }
  }
}
