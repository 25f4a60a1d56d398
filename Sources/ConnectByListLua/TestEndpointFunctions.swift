import CConnectByListLua
import ConnectByList
import ConnectByListCore
import ConnectByListTesting

/// Arguments: a kind, and an IP address, 127.0.0.1 if it is nil. If the third argument is true, the
/// second is a Unix path.
@c @implementation public func cbl_lua_test_endpoint_new(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let word = try call.text(0)
    let kind: TestEndpoint.Kind
    if word.equals("echo") {
      kind = .echo
    } else if word.equals("refused") {
      kind = .refused
    } else if word.equals("silent") {
      kind = .silent
    } else {
      throw .misuse(1, "'echo', 'refused' or 'silent' expected")
    }
    if call[2].integer == 1 {
      let path = try call.text(1)
      do throws(Errno) { call.add(made: try TestEndpoint(kind, unixPath: path)) } catch {
        throw .failed(error)
      }
      return
    }
    var address = IPAddress(v4: 0x7f00_0001)
    if !call.isNil(1) {
      let text = try call.text(1)
      guard let parsed = EndpointText.parseAddress(text, scopes: SystemScopes()) else {
        throw .misuse(2, "an IP address expected")
      }
      address = parsed
    }
    do throws(Errno) { call.add(made: try TestEndpoint(kind, at: address)) } catch {
      throw .failed(error)
    }
  }
}

@c @implementation public func cbl_lua_test_endpoint_address(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let endpoint = call.this(TestEndpoint.self)
    call.add(endpoint.endpoint, unixPath: endpoint.unixPath ?? [])
  }
}

@c @implementation public func cbl_lua_test_endpoint_accepted(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(call.this(TestEndpoint.self).acceptedCount) }
}

@c @implementation public func cbl_lua_test_endpoint_close(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.this(TestEndpoint.self).close() }
}

@c @implementation public func cbl_lua_release_test_endpoint(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<TestEndpoint>.fromOpaque(object).release()
}
