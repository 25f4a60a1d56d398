import CConnectByListLuaHost

// Values as the records that the C half takes and gives.

/// The records of arguments, with the memory of their texts.
struct ArgumentRecords {
  private var records: [cbl_host_value] = []
  /// The texts of all, one after another.
  private var texts: [UInt8] = []

  init(_ values: [LuaValue]) { for value in values { add(value) } }

  /// Until `withRecords`, the `integer` of a text is its place in `texts`.
  private mutating func add(_ value: LuaValue) {
    var record = cbl_host_value()
    record.kind = CBL_HOST_NIL
    switch value {
    case .nil, .other: break
    case .boolean(let flag):
      record.kind = CBL_HOST_BOOLEAN
      record.integer = flag ? 1 : 0
    case .integer(let number):
      record.kind = CBL_HOST_INTEGER
      record.integer = number
    case .number(let number):
      record.kind = CBL_HOST_NUMBER
      record.number = number
    case .bytes(let bytes):
      record.kind = CBL_HOST_TEXT
      record.integer = Int64(texts.count)
      record.count = bytes.count
      texts.append(contentsOf: bytes)
    case .table(let fields):
      record.kind = CBL_HOST_TABLE
      records.append(record)
      for field in fields {
        add(field.key)
        add(field.value)
      }
      record.kind = CBL_HOST_END
    }
    records.append(record)
  }

  func withRecords<Result>(_ body: (UnsafeBufferPointer<cbl_host_value>) -> Result) -> Result {
    texts.withUnsafeBytes { texts in
      var final = records
      for index in final.indices where final[index].kind == CBL_HOST_TEXT {
        // An empty text needs an address too.
        final[index].bytes =
          texts.baseAddress.map { $0 + Int(final[index].integer) }
          ?? UnsafeRawPointer(bitPattern: 1)
      }
      return final.withUnsafeBufferPointer(body)
    }
  }
}

extension [LuaValue] {
  /// The values of records.
  init(_ records: UnsafeBufferPointer<cbl_host_value>) {
    self = []
    var index = 0
    while index < records.count { append(LuaValue(records, &index)) }
  }
}

extension LuaValue {
  /// - Parameter index: of the first record of the value; afterwards of the one after its last.
  fileprivate init(_ records: UnsafeBufferPointer<cbl_host_value>, _ index: inout Int) {
    let record = records[index]
    index += 1
    let bytes = UnsafeRawBufferPointer(start: record.bytes, count: record.count)
    switch record.kind {
    case CBL_HOST_BOOLEAN: self = .boolean(record.integer != 0)
    case CBL_HOST_INTEGER: self = .integer(record.integer)
    case CBL_HOST_NUMBER: self = .number(record.number)
    case CBL_HOST_TEXT: self = .bytes([UInt8](bytes))
    case CBL_HOST_OTHER: self = .other(type: String(decoding: bytes, as: UTF8.self))
    case CBL_HOST_TABLE:
      var fields: [LuaField] = []
      while records[index].kind != CBL_HOST_END {
        let key = LuaValue(records, &index)
        fields.append(LuaField(key: key, value: LuaValue(records, &index)))
      }
      index += 1
      self = .table(fields)
    default: self = .nil
    }
  }
}
