import CConnectByListLua
import ConnectByListCore

/// A tree of results, or several texts, with their memory. A handle owns it until Lua has copied
/// everything, so an error during the copying leaks nothing.
final class Reply {
  /// The bytes of all texts.
  private var arena: [UInt8] = []
  /// Until `seal`, a text's `integer` is its offset in the arena.
  private var values: [cbl_lua_value] = []
  private var isText: [Bool] = []
  private var sealed: UnsafeMutablePointer<cbl_lua_value>?
  private var sealedText: UnsafeMutableRawPointer?

  deinit {
    sealed?.deallocate()
    sealedText?.deallocate()
  }

  func add(_ value: cbl_lua_value) {
    values.append(value)
    isText.append(false)
  }

  func add(kind: cbl_lua_kind = CBL_LUA_TEXT, copying text: some Collection<UInt8>) {
    var value = cbl_lua_value(kind: kind)
    value.integer = Int64(arena.count)
    value.count = text.count
    arena.append(contentsOf: text)
    values.append(value)
    isText.append(true)
  }

  func key(_ name: StaticString) { add(cbl_lua_value(name)) }

  func set(_ name: StaticString, _ value: cbl_lua_value) {
    key(name)
    add(value)
  }

  func set(_ name: StaticString, _ text: TextBuffer) {
    key(name)
    add(copying: text.bytes)
  }

  /// Adds a table with at most `count` fields, whose keys and values `body` adds.
  func table(count: Int, _ body: () -> Void) {
    var head = cbl_lua_value(kind: CBL_LUA_TABLE)
    head.count = count
    add(head)
    body()
    add(cbl_lua_value(kind: CBL_LUA_END))
  }

  /// Sets a field to a table with an address's fields; to nothing for no endpoint.
  func set(_ name: StaticString, _ endpoint: Endpoint?, unixPath: [UInt8] = []) {
    guard let endpoint else { return }
    let parts = EndpointParts(endpoint, unixPath: unixPath)
    key(name)
    table(count: 4) {
      set("host", parts.host)
      if let port = parts.port { set("port", cbl_lua_value(port)) }
      set("family", cbl_lua_value(endpoint.family.name))
      if let scope = parts.scope { set("scope", scope) }
    }
  }

  /// Makes the values final, with pointers to their text. Nothing may be added after this.
  func seal() -> UnsafeMutableBufferPointer<cbl_lua_value> {
    let text = UnsafeMutableRawPointer.allocate(byteCount: max(1, arena.count), alignment: 1)
    arena.withUnsafeBytes {
      text.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(text), byteCount: $0.count)
    }
    let memory = UnsafeMutablePointer<cbl_lua_value>.allocate(capacity: max(1, values.count))
    for index in values.indices {
      var value = values[index]
      if isText[index] { value.bytes = UnsafeRawPointer(text + Int(value.integer)) }
      (memory + index).initialize(to: value)
    }
    sealed = memory
    sealedText = text
    arena = []
    return UnsafeMutableBufferPointer(start: memory, count: values.count)
  }
}

extension Call {
  /// Answers with the tree, which the call's reply handle owns from now on.
  func answer(_ reply: Reply) {
    let values = reply.seal()
    pointee.reply.pointee = Unmanaged.passRetained(reply).toOpaque()
    pointee.tree = UnsafePointer(values.baseAddress)
    pointee.tree_count = values.count
  }
}

@c @implementation public func cbl_lua_release_reply(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<Reply>.fromOpaque(object).release()
}
