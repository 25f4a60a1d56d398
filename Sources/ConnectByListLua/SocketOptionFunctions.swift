import CConnectByListLua
import ConnectByList
import ConnectByListCore

extension Call {
  /// The socket options of a connect.
  func takeSocketOptions(
    _ field: FieldReader.Field, into settings: inout SocketSettings, _ argument: Int
  ) throws(CallError) {
    var reader = field.fields
    while let (key, value) = reader.next() {
      let name = key.kind == CBL_LUA_TEXT ? key.text : []
      settings.add(try setting(named: name, argument, value.place, argument))
    }
  }

  fileprivate func socketOption(
    named name: [UInt8], _ argument: Int
  ) throws(CallError) -> SocketOption {
    guard let option = SocketOption.named(name) else {
      throw unknownOption(name, among: SocketOption.names, argument)
    }
    return option
  }

  /// `place`: where the value stands, a table's fields behind it; `nil`: there is none.
  @inline(never)
  fileprivate func setting(
    named name: [UInt8], _ nameArgument: Int, _ place: UnsafePointer<cbl_lua_value>?, _ argument: Int
  ) throws(CallError) -> SocketOption.Setting {
    let option = try socketOption(named: name, nameArgument)
    guard option.isSettable else { throw refused(name, "can only be read", nameArgument) }
    if let value = optionValue(option, place), let setting = option.setting(value) {
      return setting
    }
    let given = place?.pointee ?? cbl_lua_value()
    throw .misuse(
      argument: argument, optionProblem(name, given, expected: option.allowed.bytes))
  }

  /// `option 'error' can only be read`.
  @inline(never)
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

  private func optionValue(
    _ option: SocketOption, _ place: UnsafePointer<cbl_lua_value>?
  ) -> SocketOption.Value? {
    guard let place, place.pointee.kind != CBL_LUA_NIL else {
      // What is done, and not set to something, needs no value.
      if case .context = option.kind { return .boolean(true) }
      return nil
    }
    switch place.pointee.kind {
    case CBL_LUA_BOOLEAN: return .boolean(place.pointee.integer == 1)
    case CBL_LUA_INTEGER: return .whole(place.pointee.integer)
    case CBL_LUA_NUMBER: return .number(place.pointee.number)
    case CBL_LUA_TEXT: return .text(place.pointee.text)
    case CBL_LUA_TABLE:
      if case .linger = option.kind { return lingerValue(FieldReader(place)) }
      return nil
    default: return nil
    }
  }

  /// LuaSocket's `{on = true, timeout = 5}`. Without `timeout` it is 0 seconds, as there.
  private func lingerValue(_ fields: FieldReader) -> SocketOption.Value? {
    var reader = fields
    var isOn: Bool?
    var timeout = SocketOption.Value.whole(0)
    while let (key, value) = reader.next() {
      guard key.kind == CBL_LUA_TEXT else { return nil }
      if key.text.equals("on"), value.kind == CBL_LUA_BOOLEAN {
        isOn = value.value.integer == 1
      } else if key.text.equals("timeout"), value.kind == CBL_LUA_INTEGER || value.kind == CBL_LUA_NUMBER {
        timeout = .number(value.value.number)
      } else {
        return nil
      }
    }
    return isOn.map { $0 ? timeout : .boolean(false) }
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

@c @implementation public func cbl_lua_socket_setoption(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = try call.openBox()
    let name = try call.text(0)
    let setting = try call.setting(
      named: name, 2, call.count > 1 ? call.pointee.arguments + 1 : nil, 3)
    do throws(Errno) { try box.socket.set(setting) } catch {
      throw call.failed(error, name)
    }
    call.addSelf()
  }
}

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
