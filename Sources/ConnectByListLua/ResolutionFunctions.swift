import CConnectByListLua
import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// The lookups of one `net.resolve`, which lua/ drives.
final class ResolutionBox {
  /// `nil`: the host is an address, which is the result.
  let resolution: NameResolution?
  let literal: Endpoint?
  /// A wait for it has failed: to wait again would not end.
  var failure: Errno?

  init(_ resolution: NameResolution?, literal: Endpoint?) {
    self.resolution = resolution
    self.literal = literal
  }
}

extension Call {
  fileprivate var resolutionBox: ResolutionBox { this(ResolutionBox.self) }
}

/// Arguments: host, service (false: the host is a name with SRV records), options. Returns a resolution.
@c @implementation public func cbl_lua_resolution_new(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let isService = call[1].kind == CBL_LUA_BOOLEAN
    let entry = isService ? try call.serviceEntry(0) : try call.entry(0, defaultPort: nil)
    let request = try call.readRequest(2)
    switch entry {
    case .endpoint(let endpoint): call.add(made: ResolutionBox(nil, literal: endpoint))
    case .name(let name):
      do throws(ConnectError) {
        call.add(made: ResolutionBox(try NameResolution(name, request), literal: nil))
      } catch {
        throw .failed(error)
      }
    }
  }
}

/// Takes in what has come. Returns false: it goes on; then a list of the addresses.
@c @implementation public func cbl_lua_resolution_advance(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.resolutionBox
    var list = AddressList(hashSecret: .ofThisProcess)
    if let literal = box.literal { list.append(.endpoint(literal)) }
    if let failure = box.failure { throw .failed(failure) }
    if let resolution = box.resolution {
      do throws(ConnectError) {
        guard let endpoints = try resolution.advance() else { return call.add(false) }
        for endpoint in endpoints { list.append(.endpoint(endpoint)) }
      } catch {
        throw .failed(error)
      }
    }
    call.add(made: ListBox(list))
  }
}

/// A descriptor that is readable when an answer has come; nil: none is awaited.
@c @implementation public func cbl_lua_resolution_pollfd(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let number = call.resolutionBox.resolution?.number ?? -1
    if number >= 0 { call.add(Int(number)) } else { call.addNil() }
  }
}

/// Seconds until it ends without an answer; nil: never.
@c @implementation public func cbl_lua_resolution_timeout(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    call.add(secondsUntil: call.resolutionBox.resolution?.deadline ?? .distantFuture)
  }
}

/// Blocks until an answer has come, or the deadline.
@c @implementation public func cbl_lua_resolution_wait(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box = call.resolutionBox
    if let errno = call.failureOfWait {
      box.failure = errno
      return
    }
    guard !call.pointee.kept.is_retry, let resolution = box.resolution else { return }
    throw .wait(
      resolution.number, events: CInt(CBL_POSIX_READABLE), until: resolution.deadline)
  }
}

/// Abandons the lookups that are under way.
@c @implementation public func cbl_lua_resolution_close(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in call.add(true) }
}

@c @implementation public func cbl_lua_release_resolution(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<ResolutionBox>.fromOpaque(object).release()
}
