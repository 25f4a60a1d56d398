import CConnectByListLua

/// Iterates over the fields of a table argument.
///
/// The C binding passes a table as consecutive values: CBL_LUA_TABLE, then each field's key and value,
/// then CBL_LUA_END. A field's value may itself be a table in this form.
struct FieldReader: Sequence, IteratorProtocol {
  struct Field {
    /// If the value is a table, its fields follow it in memory.
    let pointer: UnsafePointer<cbl_lua_value>
    var value: cbl_lua_value { pointer.pointee }
    var kind: cbl_lua_kind { pointer.pointee.kind }
    /// The fields of a value that is a table.
    var fields: FieldReader { FieldReader(pointer) }
  }

  private var position: UnsafePointer<cbl_lua_value>

  /// - Parameter table: points to a CBL_LUA_TABLE.
  init(_ table: UnsafePointer<cbl_lua_value>) { position = table + 1 }

  /// The next field, or `nil` after the last one.
  mutating func next() -> (key: cbl_lua_value, value: Field)? {
    guard position.pointee.kind != CBL_LUA_END else { return nil }
    let key = position.pointee
    let value = Field(pointer: position + 1)
    position = FieldReader.end(of: value.pointer)
    return (key, value)
  }

  /// The argument after this one, and after its fields if it is a table.
  static func valueAfter(
    _ value: UnsafePointer<cbl_lua_value>
  ) -> UnsafePointer<cbl_lua_value> {
    end(of: value)
  }

  /// The position after a value, and after its fields if it is a table.
  private static func end(
    of value: UnsafePointer<cbl_lua_value>
  ) -> UnsafePointer<cbl_lua_value> {
    var position = value
    var depth = 0
    repeat {
      if position.pointee.kind == CBL_LUA_TABLE { depth += 1 }
      if position.pointee.kind == CBL_LUA_END { depth -= 1 }
      position += 1
    } while depth > 0
    return position
  }
}
