import CConnectByListLua

/// Goes through the fields of a table that stands spread out in the arguments.
struct FieldReader {
  struct Field {
    let value: cbl_lua_value
    /// Where it stands: a table's own fields come after it.
    let place: UnsafePointer<cbl_lua_value>
    var kind: cbl_lua_kind { value.kind }
    var fields: FieldReader { FieldReader(place) }
  }

  private var rest: UnsafePointer<cbl_lua_value>

  /// `table`: where the CBL_LUA_TABLE stands.
  init(_ table: UnsafePointer<cbl_lua_value>) { rest = table + 1 }

  @inline(never)
  mutating func next() -> (key: cbl_lua_value, value: Field)? {
    guard rest.pointee.kind != CBL_LUA_END else { return nil }
    let key = rest.pointee
    let place = rest + 1
    rest = FieldReader.after(place)
    return (key, Field(value: place.pointee, place: place))
  }

  /// Past a value, a table with all its fields.
  private static func after(_ place: UnsafePointer<cbl_lua_value>) -> UnsafePointer<cbl_lua_value> {
    var place = place
    var depth = 0
    repeat {
      if place.pointee.kind == CBL_LUA_TABLE { depth += 1 }
      if place.pointee.kind == CBL_LUA_END { depth -= 1 }
      place += 1
    } while depth > 0
    return place
  }
}
