import CConnectByListLua
import ConnectByList
import ConnectByListCore
import ConnectByListTesting

/// The names of this machine's interfaces, for printing.
enum SystemScopesText {
  static func name(_ index: UInt32) -> [UInt8]? { SystemScopes().name(ofInterface: index) }
}

/// The ports of an address; 0 is not one.
private let portRange = 1...65535

/// An address list as a Lua object.
final class ListBox {
  var list: AddressList
  /// The test endpoints among the entries, which stay open as long as this list.
  fileprivate var testEndpoints: [TestEndpoint] = []
  init(_ list: AddressList) { self.list = list }
}

/// A message that quotes an entry: `'192.0.2.1:99999': port is above 65535`.
private func entryProblem(_ text: [UInt8], _ message: StaticString) -> TextBuffer {
  var problem = TextBuffer()
  problem.append("'")
  problem.append(escaped: text)
  problem.append("': ")
  problem.append(message)
  return problem
}

extension Call {
  /// A port from an argument, a number or text; `nil` if the argument is nil.
  private func port(_ index: Int) throws(CallError) -> PortText? {
    let value = self[index]
    switch value.kind {
    case CBL_LUA_NIL: return nil
    case CBL_LUA_TEXT:
      return EndpointText.parsePort(value.text).map { .number($0) } ?? .service(value.text)
    case CBL_LUA_INTEGER, CBL_LUA_NUMBER:
      guard let number = Int(exactly: value.number) else { break }
      guard portRange.contains(number) else {
        var text = TextBuffer()
        text.append("port ")
        text.append(decimal: number)
        text.append(" is not in 1 to 65535")
        throw .malformed(text)
      }
      return .number(UInt16(number))
    default: throw expected("number", index)
    }
    var text = TextBuffer()
    text.append("the port is neither a whole number nor text")
    throw .malformed(text)
  }

  /// The entry in an argument, `host:port`, or in two, a host and a port.
  func entry(_ index: Int, defaultPort: UInt16?) throws(CallError) -> Entry {
    let host = try text(index)
    let port = try port(index + 1)
    do throws(EntryError) {
      let entry: EntryText
      if let port {
        entry = try EndpointText.parseHost(host, port: port, scopes: SystemScopes())
      } else {
        entry = try EndpointText.parseEntry(host, defaultPort: defaultPort, scopes: SystemScopes())
      }
      return Entry(entry)
    } catch {
      throw .malformed(entryProblem(host, EntryError.advice(on: host) ?? error.message))
    }
  }

  /// The name in an argument whose SRV records are asked for.
  func serviceEntry(_ index: Int) throws(CallError) -> Entry {
    let host = try text(index)
    do throws(EntryError) {
      return Entry(
        try EndpointText.parseHost(host, port: .records, scopes: SystemScopes()))
    } catch {
      throw .malformed(entryProblem(host, error.message))
    }
  }

  /// The same, if it is a literal.
  fileprivate func endpoint(_ index: Int) throws(CallError) -> Endpoint {
    if case .endpoint(let endpoint) = try entry(index, defaultPort: nil) { return endpoint }
    throw .malformed(entryProblem(self[index].text, "not an address with a port number"))
  }
}

@c @implementation public func cbl_lua_list_new(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    var port: UInt16?
    // lua/ adds the entries, the first argument, one by one.
    if !call.isNil(1) {
      port = UInt16(try call.integer(1, "the default port", in: portRange))
    }
    call.add(made: ListBox(AddressList(defaultPort: port, hashSecret: .ofThisProcess)))
  }
}

@c @implementation public func cbl_lua_list_add(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.this(ListBox.self)
    if call[0].kind == CBL_LUA_OBJECT, call[0].type == CInt(CBL_LUA_TYPE_TEST_ENDPOINT.rawValue) {
      return try call.addTestEndpoint(to: box)
    }
    if call[0].kind == CBL_LUA_OBJECT, call[0].type == CInt(CBL_LUA_TYPE_LIST.rawValue) {
      return try call.addList(to: box)
    }
    // A third argument says that the first is a Unix path (true) or a name with SRV records (false). Text never
    // means one of these by itself.
    let isUnix = call[2].kind == CBL_LUA_BOOLEAN && call[2].integer == 1
    let isService = call[2].kind == CBL_LUA_BOOLEAN && !isUnix
    let entry: Entry? =
      if isUnix {
        nil
      } else if isService {
        try call.serviceEntry(0)
      } else {
        try call.entry(0, defaultPort: box.list.defaultPort)
      }
    guard !box.list.isFull else {
      throw .malformed(entryProblem(call[0].text, "the list has 1,000,000 entries"))
    }
    if let entry {
      box.list.append(entry)
    } else {
      let path = call[0].text
      do throws(EntryError) { try box.list.append(unixPath: path) } catch {
        throw .malformed(entryProblem(path, error.message))
      }
    }
    call.addSelf()
  }
}

extension Call {
  fileprivate func addTestEndpoint(to box: ListBox) throws(CallError) {
    let endpoint: TestEndpoint = try object(0, CBL_LUA_TYPE_TEST_ENDPOINT, "test endpoint")
    guard !box.list.isFull else {
      throw .malformed(entryProblem([], "the list has 1,000,000 entries"))
    }
    if let path = endpoint.unixPath {
      // Checked when the endpoint was made.
      do throws(EntryError) { try box.list.append(unixPath: path) } catch { assertionFailure() }
    } else {
      box.list.append(.endpoint(endpoint.endpoint))
    }
    box.testEndpoints.append(endpoint)
    addSelf()
  }

  /// Adds the entries of another list, or of the same, and keeps its test endpoints open.
  fileprivate func addList(to box: ListBox) throws(CallError) {
    let other: ListBox = try object(0, CBL_LUA_TYPE_LIST, "address list")
    let entries = other.list
    let endpoints = other.testEndpoints
    guard entries.count <= AddressList.countMax - box.list.count else {
      throw .malformed(entryProblem([], "the list has 1,000,000 entries"))
    }
    for index in 0..<entries.count {
      let entry = entries[index]
      if case .endpoint(let endpoint) = entry, endpoint.family == .unix {
        // Checked when the other list got it.
        do throws(EntryError) { try box.list.append(unixPath: entries.unixPaths[endpoint]) } catch {
          assertionFailure()
        }
      } else {
        box.list.append(entry)
      }
    }
    box.testEndpoints += endpoints
    addSelf()
  }

  fileprivate func position(in list: AddressList) throws(CallError) -> Int? {
    let number = try integer(0)
    return number >= 1 && number <= list.count ? Int(number) - 1 : nil
  }

  /// Adds host and port without a family: lua/ then makes a name of them, not an address.
  private func add(_ name: HostName) {
    var host = TextBuffer()
    host.append(name.host)
    add(copying: host)
    switch name.port {
    case .number(let port): add(Int(port))
    // lua/ makes an entry `{srv=…}` of this.
    case .records:
      add(0)
      add("srv")
    case .service(let service):
      var text = TextBuffer()
      text.append(service)
      add(copying: text)
    }
  }

  fileprivate func add(_ entry: Entry, _ paths: UnixPaths) {
    switch entry {
    case .endpoint(let endpoint): add(endpoint, unixPath: paths[endpoint])
    case .name(let name): add(name)
    }
  }
}

@c @implementation public func cbl_lua_list_get(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.this(ListBox.self)
    if let position = try call.position(in: box.list) {
      call.add(box.list[position], box.list.unixPaths)
    }
  }
}

@c @implementation public func cbl_lua_list_remove(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.this(ListBox.self)
    guard let position = try call.position(in: box.list) else {
      throw .misuse(2, "position out of bounds")
    }
    // Removing the entry removes its path from the list.
    let paths = box.list.unixPaths
    call.add(box.list.remove(at: position), paths)
  }
}

@c @implementation public func cbl_lua_list_clear(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.this(ListBox.self)
    box.list.removeAll()
    box.testEndpoints = []
    call.addSelf()
  }
}

/// Returns an array of the endpoints that were tried, in the list's order.
@c @implementation public func cbl_lua_list_history(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let list = call.this(ListBox.self).list
    let now = Clock.now()
    let reply = Reply()
    reply.table(count: 0) {
      var count = 0
      for index in 0..<list.count {
        guard case .endpoint(let endpoint) = list[index], let known = list.history[endpoint] else {
          continue
        }
        count += 1
        reply.add(cbl_lua_value(count))
        reply.table(count: 7) {
          reply.set("address", endpoint, unixPath: list.unixPaths[endpoint])
          reply.set("connected", cbl_lua_value(known.hasConnected))
          reply.set("successes", cbl_lua_value(known.successCount))
          reply.set("failures", cbl_lua_value(known.failureCount))
          if let roundTrip = known.roundTrip {
            reply.set("round_trip", cbl_lua_value(roundTrip.seconds))
          }
          if let failure = known.failure {
            var code = TextBuffer()
            code.append(failure.errno)
            reply.set("code", code)
            reply.set("age", cbl_lua_value((now - failure.at).seconds))
          }
        }
      }
    }
    try call.answer(reply)
  }
}

@c @implementation public func cbl_lua_list_forget(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.this(ListBox.self).list.history.forget()
    call.addSelf()
  }
}

@c @implementation public func cbl_lua_list_count(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(call.this(ListBox.self).list.count) }
}

@c @implementation public func cbl_lua_release_list(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<ListBox>.fromOpaque(object).release()
}

@c @implementation public func cbl_lua_address_parse(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(try call.endpoint(0)) }
}

extension Call {
  /// The address in two arguments: a host with its scope, and a port, 0 if it is nil.
  func addressInParts() throws(CallError) -> Endpoint {
    let host = try text(0)
    let number = isNil(1) ? 0 : try integer(1)
    guard let address = EndpointText.parseAddress(host, scopes: SystemScopes()),
      let port = UInt16(exactly: number)
    else { throw .malformed(entryProblem(host, "not an address")) }
    return Endpoint(address, port: port)
  }
}

/// Arguments: host with scope, port. Returns the canonical text. If the third argument is true, the first
/// is a Unix path.
@c @implementation public func cbl_lua_address_text(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    var text = TextBuffer()
    if call[2].integer == 1 {
      text.append(unixPath: try call.text(0))
    } else {
      text.append(try call.addressInParts(), scopes: SystemScopes())
    }
    call.add(copying: text)
  }
}

/// Arguments: host with scope, port. Returns the v4-mapped form if the third argument is true, else the
/// unmapped one.
@c @implementation public func cbl_lua_address_convert(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let endpoint = try call.addressInParts()
    call.add(call[2].integer == 1 ? endpoint.mapped : endpoint.unmapped)
  }
}

@c @implementation public func cbl_lua_local_addresses(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let locals: [LocalAddress]
    do throws(Errno) { locals = try LocalAddresses.all() } catch {
      throw .failed(error)
    }
    let reply = Reply()
    reply.table(count: locals.count) {
      for (index, local) in locals.enumerated() {
        reply.add(cbl_lua_value(index + 1))
        reply.table(count: 4) {
          reply.set("address", Endpoint(local.address, port: 0))
          reply.set("prefix", cbl_lua_value(Int(local.prefixLength)))
          if let name = SystemScopesText.name(local.interface) {
            reply.key("interface")
            reply.add(copying: name)
          }
          reply.key("flags")
          reply.table(count: 4) {
            let names: [(LocalAddress.Flags, StaticString)] = [
              (.deprecated, "deprecated"), (.temporary, "temporary"), (.home, "home"),
              (.tentative, "tentative"),
            ]
            for (flag, name) in names where local.flags.contains(flag) {
              reply.set(name, cbl_lua_value(true))
            }
          }
        }
      }
    }
    try call.answer(reply)
  }
}
