import CConnectByListLua
import ConnectByList
import ConnectByListCore

/// How a call ends that does not succeed.
enum CallError: Error {
  /// Misuse: raised. `argument` is counted as Lua does, self being 1; 0: none in particular.
  case misuse(argument: Int, TextBuffer)
  /// A failure: `nil, message, code`. The binding puts the method's name before the message.
  case failed(Errno, TextBuffer)
  /// Text of the script is no entry, address or port: `nil, message, "EINVAL"`, without the method's
  /// name. The message quotes the text, and callers put it into a message of their own.
  case malformed(TextBuffer)
  /// Raised: the handle is closed.
  case closed
  /// Not the end: the call is made again when one of the events has come to the descriptor (-1: none), or the
  /// instant has passed.
  case wait(CInt, events: CInt, until: Instant)
  /// Not the end: the call is made again after garbage was collected, which may hold descriptors.
  case collect

  static func misuse(_ argument: Int, _ message: StaticString) -> CallError {
    var text = TextBuffer()
    text.append(message)
    return .misuse(argument: argument, text)
  }

  static func failed(_ errno: Errno) -> CallError {
    var text = TextBuffer()
    text.append(errno.words)
    return .failed(errno, text)
  }

  static func failed(_ error: ConnectError) -> CallError {
    var text = TextBuffer(capacity: error.message.count)
    text.append(error.message)
    return .failed(error.errno, text)
  }
}

public typealias Call = UnsafeMutablePointer<cbl_lua_call>

extension Call {
  /// Runs the body and turns what it throws into a verdict.
  func perform(_ body: (Call) throws(CallError) -> Void) -> cbl_lua_verdict {
    pointee.result_count = 0
    pointee.scratch_count = 0
    do throws(CallError) {
      try body(self)
      return CBL_LUA_DONE
    } catch {
      return fail(error)
    }
  }

  private func fail(_ error: CallError) -> cbl_lua_verdict {
    pointee.result_count = 0
    switch error {
    case .closed: return CBL_LUA_CLOSED
    case .wait(let number, let events, let until):
      pointee.wait = cbl_lua_wait(fd: number, events: events, until: until.nanoseconds)
      return CBL_LUA_WAIT
    case .collect: return CBL_LUA_COLLECT
    case .failed(let errno, _) where mayCollect(errno): return CBL_LUA_COLLECT
    case .misuse(let argument, let text):
      setMessage(text)
      pointee.bad_argument = CInt(argument)
      return CBL_LUA_MISUSE
    case .failed(let errno, let text):
      setMessage(text)
      setCode(errno)
      pointee.names_method = true
      return CBL_LUA_FAILED
    case .malformed(let text):
      setMessage(text)
      setCode(.invalidArgument)
      return CBL_LUA_FAILED
    }
  }

  /// Whether the call failed for want of descriptors, and none were collected for it yet.
  func mayCollect(_ errno: Errno) -> Bool {
    (errno == .tooManyOpen || errno == .tooManyOpenInSystem) && !pointee.kept.has_collected
  }

  private func setMessage(_ text: TextBuffer) {
    // A longer message is cut. Results that are added after a failure share the scratch space.
    let count = Swift.min(text.bytes.count, Int(CBL_LUA_SCRATCH_MAX) - 64)
    withScratch { $0.copyBytes(from: text.bytes.prefix(count)) }
    pointee.message_count = count
    pointee.scratch_count = count
  }

  private func setCode(_ errno: Errno) {
    let name = errno.name ?? "EUNKNOWN"
    pointee.code = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    pointee.code_count = name.utf8CodeUnitCount
  }

  private func withScratch(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
    withUnsafeMutableBytes(of: &pointee.scratch) { body($0) }
  }

  // MARK: arguments

  /// How many arguments there are, without self.
  var count: Int { pointee.argument_count }

  /// The number of an argument in messages: from 1, and self, if the method has one, is the first.
  func luaNumber(_ index: Int) -> Int { index + (pointee.object == nil ? 1 : 2) }

  /// An argument by its index. Only valid if no argument before it is a table, whose fields would
  /// follow it.
  subscript(index: Int) -> cbl_lua_value {
    index < count ? pointee.arguments[index] : cbl_lua_value()
  }

  func isNil(_ index: Int) -> Bool { self[index].kind == CBL_LUA_NIL }

  func expected(_ what: StaticString, _ index: Int) -> CallError {
    var text = TextBuffer()
    text.append(what)
    text.append(" expected, got ")
    text.append(index < count ? self[index].typeName : [UInt8]("no value"))
    return .misuse(argument: luaNumber(index), text)
  }

  /// An integer argument in a range. Otherwise the message is `the size must be 1 to 1024`, with
  /// `what` for "the size".
  func integer(
    _ index: Int, _ what: StaticString, in range: ClosedRange<Int>
  ) throws(CallError) -> Int {
    let number = try integer(index)
    if let exact = Int(exactly: number), range.contains(exact) { return exact }
    var text = TextBuffer()
    text.append(what)
    text.append(" must be ")
    text.append(decimal: range.lowerBound)
    text.append(" to ")
    text.append(decimal: range.upperBound)
    throw .misuse(argument: luaNumber(index), text)
  }

  func text(_ index: Int) throws(CallError) -> [UInt8] {
    let value = self[index]
    guard value.kind == CBL_LUA_TEXT else { throw expected("string", index) }
    return value.text
  }

  /// Bytes that are kept: at most 16 MiB.
  func payload(_ index: Int) throws(CallError) -> [UInt8] {
    let value = self[index]
    guard value.kind == CBL_LUA_TEXT else { throw expected("string", index) }
    guard value.count <= 16 << 20 else {
      throw .misuse(luaNumber(index), "the text has more than 16 MiB")
    }
    return [UInt8](value.raw)
  }

  func integer(_ index: Int) throws(CallError) -> Int64 {
    let value = self[index]
    switch value.kind {
    case CBL_LUA_INTEGER: return value.integer
    case CBL_LUA_NUMBER:
      guard let exact = Int64(exactly: value.number) else {
        throw .misuse(luaNumber(index), "number has no integer representation")
      }
      return exact
    default: throw expected("number", index)
    }
  }

  func object<Object: AnyObject>(_ index: Int, _ type: cbl_lua_type_index, _ what: StaticString)
    throws(CallError) -> Object
  {
    let value = self[index]
    guard value.kind == CBL_LUA_OBJECT, value.type == CInt(type.rawValue) else {
      throw expected(what, index)
    }
    guard let bytes = value.bytes else { throw .closed }
    return Unmanaged<Object>.fromOpaque(bytes).takeUnretainedValue()
  }

  /// The object of the first argument.
  func this<Object: AnyObject>(_ type: Object.Type) -> Object {
    Unmanaged<Object>.fromOpaque(pointee.object).takeUnretainedValue()
  }

  // MARK: results

  func add(_ value: cbl_lua_value) {
    pointee.results[pointee.result_count] = value
    pointee.result_count += 1
  }

  func add(_ flag: Bool) { add(cbl_lua_value(flag)) }
  func add(_ number: Int) { add(cbl_lua_value(number)) }
  func add(_ text: StaticString) { add(cbl_lua_value(text)) }
  func addNil() { add(cbl_lua_value()) }
  func addSelf() { add(cbl_lua_value(kind: CBL_LUA_SELF)) }

  /// Adds a copy of the text, in the call's scratch space. For short text: an address, a name.
  func add(copying text: TextBuffer) {
    let start = pointee.scratch_count
    let count = Swift.min(text.bytes.count, Int(CBL_LUA_SCRATCH_MAX) - start)
    var value = cbl_lua_value(kind: CBL_LUA_TEXT)
    withScratch { scratch in
      let room = UnsafeMutableRawBufferPointer(rebasing: scratch[start..<start + count])
      room.copyBytes(from: text.bytes.prefix(count))
      value.bytes = UnsafeRawPointer(room.baseAddress)
    }
    value.count = count
    pointee.scratch_count = start + count
    add(value)
  }

  /// Stores the object in the handle that C made for this call, and adds the handle to the results.
  func add(made object: AnyObject) {
    pointee.made.pointee = Unmanaged.passRetained(object).toOpaque()
    add(cbl_lua_value(kind: CBL_LUA_MADE))
  }

  /// Adds an address; nil for no endpoint. `unixPath`: the path of a Unix address.
  func add(_ endpoint: Endpoint?, unixPath: [UInt8] = []) {
    guard let endpoint else {
      addNil()
      return
    }
    let parts = EndpointParts(endpoint, unixPath: unixPath)
    add(cbl_lua_value(kind: CBL_LUA_ADDRESS))
    add(copying: parts.host)
    if let port = parts.port { add(port) } else { addNil() }
    add(endpoint.family.name)
    if let scope = parts.scope { add(copying: scope) } else { addNil() }
  }
}

/// The fields of an address in Lua: the scope is not part of the host. The host of a Unix address is
/// its path, and it has no port.
struct EndpointParts {
  var host = TextBuffer()
  var port: Int?
  var scope: TextBuffer?

  init(_ endpoint: Endpoint, unixPath: [UInt8]) {
    if endpoint.family == .unix {
      host.append(unixPath)
      return
    }
    port = Int(endpoint.port)
    host.append(endpoint.address.withScope(0), scopes: NumericScopes())
    guard endpoint.address.scope != 0 else { return }
    var text = TextBuffer()
    if let name = SystemScopesText.name(endpoint.address.scope) {
      text.append(name)
    } else {
      text.append(decimal: Int(endpoint.address.scope))
    }
    scope = text
  }
}

extension cbl_lua_value {
  init(kind: cbl_lua_kind) {
    self.init()
    self.kind = kind
  }

  init(_ flag: Bool) {
    self.init(kind: CBL_LUA_BOOLEAN)
    integer = flag ? 1 : 0
  }

  init(_ number: Int) {
    self.init(kind: CBL_LUA_INTEGER)
    integer = Int64(number)
  }

  init(_ number: Double) {
    self.init(kind: CBL_LUA_NUMBER)
    self.number = number
  }

  /// A literal, whose bytes stay valid.
  init(_ text: StaticString) {
    self.init(kind: CBL_LUA_TEXT)
    bytes = UnsafeRawPointer(text.utf8Start)
    count = text.utf8CodeUnitCount
  }

  init(kind: cbl_lua_kind, _ text: UnsafeRawBufferPointer) {
    self.init(kind: kind)
    bytes = text.baseAddress
    count = text.count
  }

  var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

  /// A copy of the text, at most the first 64 KiB of it. No name, address, path or option is so long, so what
  /// comes behind cannot make it valid, and memory that input sizes is not an array's.
  var text: [UInt8] { [UInt8](raw.prefix(Self.textMax)) }

  static let textMax = 64 << 10

  /// The name of its type in Lua.
  var typeName: [UInt8] {
    switch kind {
    case CBL_LUA_NIL: [UInt8]("nil")
    case CBL_LUA_BOOLEAN: [UInt8]("boolean")
    case CBL_LUA_INTEGER, CBL_LUA_NUMBER: [UInt8]("number")
    case CBL_LUA_TEXT: [UInt8]("string")
    case CBL_LUA_TABLE: [UInt8]("table")
    case CBL_LUA_OBJECT: [UInt8]("userdata")
    default: text
    }
  }
}
