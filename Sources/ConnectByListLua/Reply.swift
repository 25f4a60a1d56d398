import CConnectByListLua
import ConnectByList
import ConnectByListCore

/// A tree of results, or several texts, with their memory. A handle owns it until Lua has copied
/// everything, so an error during the copying leaks nothing.
///
/// Adding never fails; where memory runs out `isShort` is set, and `seal` throws.
final class Reply {
  /// The bytes of all texts.
  private var arena = RawMemory()
  private var arenaEnd = 0
  /// Values of type cbl_lua_value. Until `seal`, a text in the arena has no pointer and its `integer` is its
  /// offset there.
  private var values = RawMemory()
  private var count = 0
  private(set) var isShort = false

  private static let stride = MemoryLayout<cbl_lua_value>.stride

  func add(_ value: cbl_lua_value) {
    do throws(Errno) { try values.reserve((count + 1) * Self.stride) } catch {
      isShort = true
      return
    }
    values.bytes.storeBytes(of: value, toByteOffset: count * Self.stride, as: cbl_lua_value.self)
    count += 1
  }

  func add(kind: cbl_lua_kind = CBL_LUA_TEXT, copying text: some Collection<UInt8>) {
    do throws(Errno) { try arena.reserve(arenaEnd + max(1, text.count)) } catch {
      isShort = true
      return
    }
    var value = cbl_lua_value(kind: kind)
    value.integer = Int64(arenaEnd)
    value.count = text.count
    let room = arena.bytes[arenaEnd..<arenaEnd + text.count]
    UnsafeMutableRawBufferPointer(rebasing: room).copyBytes(from: text)
    arenaEnd += text.count
    add(value)
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

  /// Makes the values final, with pointers to their text. Nothing may be added after this. Throws
  /// `.outOfMemory` where there was no memory for what was added.
  func seal() throws(Errno) -> UnsafeMutableBufferPointer<cbl_lua_value> {
    if isShort { throw .outOfMemory }
    let values = UnsafeMutableBufferPointer(
      start: values.bytes.baseAddress?.assumingMemoryBound(to: cbl_lua_value.self), count: count)
    for index in values.indices {
      let kind = values[index].kind
      guard kind == CBL_LUA_TEXT || kind == CBL_LUA_NUMERAL, values[index].bytes == nil else {
        continue
      }
      values[index].bytes = UnsafeRawPointer(arena.bytes.baseAddress! + Int(values[index].integer))
    }
    return values
  }
}

extension Call {
  /// Answers with the tree, which the call's reply handle owns from now on.
  func answer(_ reply: Reply) throws(CallError) {
    let values = try sealed(reply)
    pointee.tree = UnsafePointer(values.baseAddress)
    pointee.tree_count = values.count
  }

  /// The final values of a reply, which the call's reply handle owns from now on.
  func sealed(_ reply: Reply) throws(CallError) -> UnsafeMutableBufferPointer<cbl_lua_value> {
    let values: UnsafeMutableBufferPointer<cbl_lua_value>
    do throws(Errno) { values = try reply.seal() } catch { throw .failed(error) }
    pointee.reply.pointee = Unmanaged.passRetained(reply).toOpaque()
    return values
  }
}

@c @implementation public func cbl_lua_release_reply(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<Reply>.fromOpaque(object).release()
}
