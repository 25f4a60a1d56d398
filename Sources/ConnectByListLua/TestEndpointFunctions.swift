import CConnectByListLua
import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import ConnectByListTesting

// lua/connectbylist/testing.lua makes "bad argument" of what is `malformed` here: it knows the number of the
// argument.

/// Arguments: the kind; then what it takes, see `kind`; then a table of options.
@c @implementation public func cbl_lua_test_endpoint_new(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    guard call.policy.allowsTestEndpoints else { throw .failed(.accessDenied) }
    let last = call.count - 1
    guard last >= 1, call[last].kind == CBL_LUA_TABLE else { throw call.expected("table", last) }
    let word = try call.text(0)
    let group: TestEndpointOptions.Group =
      word.equals("reset") || word.equals("closing") ? .end : word.equals("proxy") ? .proxy : .place
    var options = TestEndpointOptions()
    try options.read(call.pointee.arguments + last, group)
    options.proxy.policy = call.policy
    let kind = try call.kind(word, options)
    if case .silent = kind, options.unixPath != nil {
      var text = TextBuffer()
      text.append("a Unix endpoint cannot be silent")
      throw .malformed(text)
    }
    do throws(Errno) {
      if let path = options.unixPath {
        call.add(made: try TestEndpoint(kind, unixPath: path, after: options.delay))
      } else {
        call.add(
          made: try TestEndpoint(
            kind, at: options.address, port: options.port, after: options.delay))
      }
    } catch {
      throw .failed(error)
    }
  }
}

extension Call {
  fileprivate func kind(
    _ word: [UInt8], _ options: TestEndpointOptions
  ) throws(CallError) -> EndpointKind {
    if word.equals("echo") { return .echo }
    if word.equals("discard") { return .discard }
    if word.equals("accepting") { return .accepting }
    if word.equals("refused") { return .refused }
    if word.equals("silent") { return .silent }
    if word.equals("reset") { return .reset(options.end) }
    if word.equals("closing") { return .closing(options.end) }
    if word.equals("slow") { return .slow(try seconds(1)) }
    if word.equals("script") { return .script(try scripts()) }
    if word.equals("proxy") { return .proxy(try proxyTarget(), options.proxy) }
    throw .misuse(1, "no such kind")
  }

  fileprivate func seconds(_ index: Int) throws(CallError) -> TimeSpan {
    let value = self[index]
    guard value.kind == CBL_LUA_INTEGER || value.kind == CBL_LUA_NUMBER,
      let span = TimeSpan(seconds: value.number)
    else { throw expected("number of seconds, 0 or more,", index) }
    return span
  }

  /// Arguments of a proxy: `host:port`, a literal; or a Unix path and true.
  private func proxyTarget() throws(CallError) -> ProxyTarget {
    let text = try text(1)
    if self[2].kind == CBL_LUA_BOOLEAN { return .unix(text) }
    guard
      let entry = try? EndpointText.parseEntry(text, defaultPort: nil, scopes: SystemScopes()),
      case .endpoint(let endpoint) = entry
    else { throw expected("address", 1) }
    return .endpoint(endpoint)
  }

  /// Arguments of a script: the name of a step and its value, in turn; `script` begins a script.
  private func scripts() throws(CallError) -> [[ScriptStep]] {
    var scripts: [[ScriptStep]] = []
    var index = 1
    while index + 1 < count {
      if try text(index).equals("script") {
        scripts.append([])
      } else if !scripts.isEmpty {
        scripts[scripts.count - 1].append(try step(index))
      }
      index += 2
    }
    return scripts
  }

  private func step(_ index: Int) throws(CallError) -> ScriptStep {
    let word = try text(index)
    if word.equals("expect") { return .expect(try payload(index + 1)) }
    if word.equals("expect_line") {
      return .expectLine(isNil(index + 1) ? nil : try payload(index + 1))
    }
    if word.equals("expect_any") {
      return .expectAny(try integer(index + 1, "the count", in: 1...ScriptStep.expectAnyMax))
    }
    if word.equals("send") { return .send(try payload(index + 1)) }
    if word.equals("wait") { return .wait(try seconds(index + 1)) }
    if word.equals("close") { return .close }
    if word.equals("shut") { return .shut }
    if word.equals("reset") { return .reset }
    throw .misuse(luaNumber(index), "no such step")
  }
}

@c @implementation public func cbl_lua_test_endpoint_address(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let endpoint = call.this(TestEndpoint.self)
    call.add(endpoint.endpoint, unixPath: endpoint.unixPath ?? [])
  }
}

/// Without arguments the count; with a count and a number of seconds it waits for that many.
@c @implementation public func cbl_lua_test_endpoint_accepted(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let endpoint = call.this(TestEndpoint.self)
    guard !call.isNil(0) else {
      call.add(endpoint.acceptedCount)
      return
    }
    let count = Int(clamping: try call.integer(0))
    let until = try call.keptDeadline { (call) throws(CallError) in
      call.isNil(1) ? .forever : try call.seconds(1)
    }
    if let errno = call.failureOfWait { throw .failed(errno) }
    let event: CInt?
    do throws(Errno) { event = try endpoint.nextAcceptEvent() } catch { throw .failed(error) }
    let found = endpoint.acceptedCount
    if let event, found < count, Clock.now() < until {
      throw .wait(event, events: CInt(CBL_POSIX_READABLE), until: until)
    }
    call.add(found)
  }
}

/// The bytes of one connection, by its number from 1, or of all.
@c @implementation public func cbl_lua_test_endpoint_received(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let received = call.this(TestEndpoint.self).received
    let reply = Reply()
    if call.isNil(0) {
      var all: [UInt8] = []
      for bytes in received { all.append(contentsOf: bytes) }
      reply.add(copying: all)
    } else {
      let number = try call.integer(0)
      if number >= 1 && number <= received.count {
        reply.add(copying: received[Int(number) - 1])
      } else {
        reply.add(cbl_lua_value())
      }
    }
    try call.answer(reply)
  }
}

@c @implementation public func cbl_lua_test_endpoint_failures(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let failures = call.this(TestEndpoint.self).failures
    let reply = Reply()
    reply.table(count: failures.count) {
      for index in failures.indices {
        reply.add(cbl_lua_value(index + 1))
        reply.add(copying: failures[index])
      }
    }
    try call.answer(reply)
  }
}

/// Changes the network of a proxy.
@c @implementation public func cbl_lua_test_endpoint_set(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let endpoint = call.this(TestEndpoint.self)
    guard case .proxy = endpoint.kind else { throw .misuse(0, "only a proxy has a network") }
    guard call[0].kind == CBL_LUA_TABLE else { throw call.expected("table", 0) }
    var problem: CallError?
    // Nothing is changed unless all options are right.
    endpoint.change { settings in
      var options = TestEndpointOptions()
      options.proxy = settings
      do throws(CallError) {
        try options.read(call.pointee.arguments, .proxyChange)
        settings = options.proxy
      } catch {
        problem = error
      }
    }
    if case .malformed(let text) = problem { throw .misuse(argument: 2, text) }
    if let problem { throw problem }
    call.addSelf()
  }
}

/// The kind, and whether it is closed.
@c @implementation public func cbl_lua_test_endpoint_state(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let endpoint = call.this(TestEndpoint.self)
    call.add(endpoint.kind.name)
    call.add(endpoint.isClosed)
  }
}

@c @implementation public func cbl_lua_test_endpoint_close(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.this(TestEndpoint.self).close() }
}

@c @implementation public func cbl_lua_release_test_endpoint(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<TestEndpoint>.fromOpaque(object).release()
}
