import CConnectByListLua
import ConnectByList
import ConnectByListCore
import ConnectByListTesting

/// The options table of a test endpoint.
struct TestEndpointOptions {
  var address = IPAddress(v4: 0x7f00_0001)
  var port: UInt16 = 0
  var unixPath: [UInt8]?
  var delay = TimeSpan.zero
  var end = EndpointKind.End()
  var proxy = ProxySettings()

  /// Which options there are.
  enum Group {
    case place
    /// In addition when a connection ends.
    case end
    /// In addition the network of a proxy.
    case proxy
    /// That network alone.
    case proxyChange

    var names: [StaticString] {
      let place: [StaticString] = ["address", "port", "unix", "after"]
      let proxy: [StaticString] = [
        "latency", "jitter", "rate", "slice", "cut_after", "hang_after", "drop",
      ]
      switch self {
      case .place: return place
      case .end: return place + ["after_bytes", "after_seconds"]
      case .proxy: return place + proxy + ["seed"]
      case .proxyChange: return proxy
      }
    }
  }

  /// - Parameter table: points to a CBL_LUA_TABLE.
  mutating func read(
    _ table: UnsafePointer<cbl_lua_value>, _ group: Group
  ) throws(CallError) {
    var addressIsGiven = false
    for (key, field) in FieldReader(table) {
      let name = key.kind == CBL_LUA_TEXT ? key.text : []
      guard group.names.contains(where: { name.equals($0) }) else {
        throw .malformed(unknownOptionText(name, among: group.names))
      }
      if name.equals("address") || name.equals("port") { addressIsGiven = true }
      try set(name, field.value)
    }
    if unixPath != nil && addressIsGiven {
      var text = TextBuffer()
      text.append("a Unix endpoint has no address and no port")
      throw .malformed(text)
    }
  }

  private mutating func set(_ name: [UInt8], _ value: cbl_lua_value) throws(CallError) {
    let expected: StaticString
    if name.equals("address") {
      expected = "an IP address"
      if value.kind == CBL_LUA_TEXT,
        let parsed = EndpointText.parseAddress(value.text, scopes: SystemScopes())
      {
        address = parsed
        return
      }
    } else if name.equals("unix") {
      expected = "the path of a Unix socket"
      if value.kind == CBL_LUA_TEXT {
        unixPath = value.text
        return
      }
    } else if name.equals("port") {
      expected = "a port, 1 to 65535"
      if let number = whole(value), (1...65535).contains(number) {
        port = UInt16(number)
        return
      }
    } else if name.equals("seed") {
      expected = "a whole number"
      if let number = whole(value) {
        proxy.seed = UInt64(bitPattern: number)
        return
      }
    } else if name.equals("drop") {
      expected = "a number from 0 to 1"
      if isNumber(value), value.number >= 0, value.number <= 1 {
        proxy.drop = value.number
        return
      }
    } else if let count = WritableCount(name) {
      let least: Int64 = name.equals("rate") || name.equals("slice") ? 1 : 0
      expected =
        least == 1 ? "a whole number, 1 or more, or false" : "a whole number, 0 or more, or false"
      if value.kind == CBL_LUA_BOOLEAN && value.integer == 0 {
        set(count, nil)
        return
      }
      // Products with 10^9 must fit into 64 bits.
      if let number = whole(value), number >= least, number <= 1 << 32 {
        set(count, Int(number))
        return
      }
    } else {
      expected = "a number of seconds, 0 or more"
      if isNumber(value), let span = TimeSpan(seconds: value.number) {
        if name.equals("after") { delay = span }
        if name.equals("after_seconds") { end.afterTime = span }
        if name.equals("latency") { proxy.latency = span }
        if name.equals("jitter") { proxy.jitter = span }
        return
      }
    }
    throw .malformed(optionProblem(name, value, expected: [UInt8](expected)))
  }

  /// The options that are counts of bytes; `false` takes them away.
  private enum WritableCount {
    case afterBytes, rate, slice, cutAfter, hangAfter

    init?(_ name: [UInt8]) {
      if name.equals("after_bytes") {
        self = .afterBytes
      } else if name.equals("rate") {
        self = .rate
      } else if name.equals("slice") {
        self = .slice
      } else if name.equals("cut_after") {
        self = .cutAfter
      } else if name.equals("hang_after") {
        self = .hangAfter
      } else {
        return nil
      }
    }
  }

  private mutating func set(_ count: WritableCount, _ number: Int?) {
    switch count {
    case .afterBytes: end.afterBytes = number
    case .rate: proxy.rate = number
    case .slice: proxy.slice = number
    case .cutAfter: proxy.cutAfter = number
    case .hangAfter: proxy.hangAfter = number
    }
  }

  private func isNumber(_ value: cbl_lua_value) -> Bool {
    value.kind == CBL_LUA_INTEGER || value.kind == CBL_LUA_NUMBER
  }

  private func whole(_ value: cbl_lua_value) -> Int64? {
    if value.kind == CBL_LUA_INTEGER { return value.integer }
    return value.kind == CBL_LUA_NUMBER ? Int64(exactly: value.number) : nil
  }
}
