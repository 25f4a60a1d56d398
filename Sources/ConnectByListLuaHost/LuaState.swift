import CConnectByListLuaHost
@_exported import ConnectByList
import ConnectByListCore
import ConnectByListLua
import Synchronization

/// A Lua state, in which `require "connectbylist"` finds the module of this program.
///
/// ```swift
/// let lua = try LuaState(.sandbox, policy: EgressPolicy("deny metadata private; allow any"))
/// try lua.setGlobal("host", "db.example.net")
/// let results = try lua.run(script, timeLimit: .seconds(2))
/// ```
///
/// Any number of states may be used at once. A state may be used by any thread; it runs one call at a time,
/// and another call waits for it. The deinitializer closes the state.
public final class LuaState: Sendable {
  /// The `lua_State`; `nil` once it is closed. Errors of Lua are raised and caught in C, below each of these
  /// functions.
  private let state: Mutex<State>

  private struct State: @unchecked Sendable { var pointer: UnsafeMutableRawPointer? }

  /// A new state.
  ///
  /// - Parameters:
  ///   - libraries: the standard libraries that are opened.
  ///   - policy: where the scripts may connect to. They cannot see it, and can only narrow it, by
  ///     `connectbylist.testing.only_loopback()`. `net.wrap`, `io.popen`, `os.execute` and C modules are
  ///     outside it.
  ///   - hasLimits: whether `timeLimit` and `cancel` end a script in each of its coroutines. Lua code runs
  ///     more slowly then: it counts instructions. `debug.sethook` is missing, because a script could take
  ///     the limits away with it. Without it they hold in the main coroutine, in those that it makes in a
  ///     call with a limit, and in waits.
  ///   - memoryLimit: the most bytes that Lua may have for it, 256 KiB or more; `nil`: no limit. A script that
  ///     wants more gets an error (`.outOfMemory`), which it can catch. What the module has for sockets and
  ///     connects is not counted.
  /// - Throws: `.outOfMemory`.
  public init(
    _ libraries: LuaLibraries = .all, policy: EgressPolicy = .unrestricted, hasLimits: Bool = true,
    memoryLimit: Int? = nil
  ) throws(LuaError) {
    precondition(memoryLimit.map { $0 >= 1 << 18 } ?? true, "a memory limit below 256 KiB")
    guard
      let pointer = cbl_host_state_new(
        libraries.rawValue, hasLimits, memoryLimit ?? 0, PolicyBox(policy).retained())
    else { throw .outOfMemory }
    state = Mutex(State(pointer: pointer))
  }

  deinit { close() }

  /// Runs finalizers, closes what the scripts have left open, and frees the state. Waits for a call that is
  /// running. A closed state throws `.closed`.
  public func close() {
    state.withLock { state in
      guard let pointer = state.pointer else { return }
      state.pointer = nil
      cbl_host_state_close(pointer)
    }
  }

  // MARK: running

  /// Runs a text of Lua and returns its results. Precompiled chunks are refused.
  ///
  /// - Parameters:
  ///   - name: of the chunk, in messages: `=config` shows as `config`, `@a.lua` as the file `a.lua`; anything
  ///     else as the text itself.
  ///   - arguments: what `...` is in the text.
  ///   - timeLimit: how long it may take; `nil`: as long as it wants.
  ///   - cancel: ends it from another thread or a signal handler.
  /// - Throws: ``LuaError``.
  ///
  /// A limit ends Lua code, within about 0.1 ms, and every wait of the module: connects, reads, writes,
  /// sleeps. It raises an error, and raises it again until this call has returned, so that a script cannot
  /// go on by catching it. Other functions in C (a costly pattern of `string.find`, `io.read`,
  /// `os.execute`) end when they return; so do finalizers. Afterwards the state can be used as before, and
  /// what the script had in local variables is closed.
  @discardableResult
  public func run(
    _ text: String, name: String = "=script", arguments: [LuaValue] = [],
    timeLimit: TimeSpan? = nil, cancel: CancelHandle? = nil
  ) throws(LuaError) -> [LuaValue] {
    let bytes = Array(text.utf8)
    return try perform(CBL_HOST_RUN_TEXT, name, bytes, arguments, timeLimit, cancel)
  }

  /// Runs a file. See `run(_:name:arguments:timeLimit:cancel:)`.
  @discardableResult
  public func run(
    file path: String, arguments: [LuaValue] = [], timeLimit: TimeSpan? = nil,
    cancel: CancelHandle? = nil
  ) throws(LuaError) -> [LuaValue] {
    try perform(CBL_HOST_RUN_FILE, path, [], arguments, timeLimit, cancel)
  }

  /// Calls a global function, `"handle"`, or one in global tables, `"string.rep"`. See
  /// `run(_:name:arguments:timeLimit:cancel:)`.
  @discardableResult
  public func call(
    _ function: String, _ arguments: [LuaValue] = [], timeLimit: TimeSpan? = nil,
    cancel: CancelHandle? = nil
  ) throws(LuaError) -> [LuaValue] {
    try perform(CBL_HOST_CALL, function, [], arguments, timeLimit, cancel)
  }

  // MARK: globals and policy

  /// Sets a global variable. No metamethod is called.
  public func setGlobal(_ name: String, _ value: LuaValue) throws(LuaError) {
    _ = try perform(CBL_HOST_SET_GLOBAL, name, [], [value], nil, nil)
  }

  /// The value of a global variable, or of a field of global tables: `"config.port"`. No metamethod is
  /// called.
  public func global(_ path: String) throws(LuaError) -> LuaValue {
    try perform(CBL_HOST_GET_GLOBAL, path, [], [], nil, nil).first ?? .nil
  }

  /// Replaces the policy, for connects that begin afterwards. It also takes back what a script had narrowed.
  public func setPolicy(_ policy: EgressPolicy) throws(LuaError) {
    let box = PolicyBox(policy)
    let isSet = state.withLock { state in
      state.pointer.map { cbl_host_state_set_policy($0, box.retained()) }
    }
    guard let isSet else { throw .closed }
    guard isSet else { throw .outOfMemory }
  }

  private func perform(
    _ action: cbl_host_action, _ name: String, _ text: [UInt8], _ arguments: [LuaValue],
    _ timeLimit: TimeSpan?, _ cancel: CancelHandle?
  ) throws(LuaError) -> [LuaValue] {
    let outcome: Result<[LuaValue], LuaError> = state.withLock { state in
      guard let pointer = state.pointer else { return .failure(.closed) }
      var request = cbl_host_request()
      request.action = action
      request.time_limit_ns = timeLimit.map { $0 == .forever ? -1 : max(0, $0.nanoseconds) } ?? -1
      request.cancel_fd = cancel?.number ?? -1
      defer { cbl_host_release(&request) }
      let status = ArgumentRecords(arguments).withRecords { records in
        name.withCString { name in
          text.withUnsafeBytes { text in
            request.name = name
            request.text = text.baseAddress ?? UnsafeRawPointer(name)
            request.text_count = text.count
            request.arguments = records.baseAddress
            request.argument_count = records.count
            return withExtendedLifetime(cancel) { cbl_host_state_run(pointer, &request) }
          }
        }
      }
      let values = [LuaValue](
        UnsafeBufferPointer(start: request.values, count: request.value_count))
      if status == CBL_HOST_OK { return .success(values) }
      return .failure(LuaError(status, values))
    }
    return try outcome.get()
  }
}

extension LuaError {
  fileprivate static let closed = LuaError(.closed, "the state is closed")
  fileprivate static let outOfMemory = LuaError(.outOfMemory, "not enough memory")

  private init(_ reason: Reason, _ message: String) {
    self.init(reason: reason, message: message, traceback: "", value: .nil)
  }

  /// - Parameter values: the error value, its text, and the traceback.
  fileprivate init(_ status: cbl_host_status, _ values: [LuaValue]) {
    let reason: Reason =
      switch status {
      case CBL_HOST_NO_MEMORY: .outOfMemory
      case CBL_HOST_TIME_LIMIT: .timeLimit
      case CBL_HOST_CANCELLED: .cancelled
      default: .failed
      }
    // A script that has caught the error of its limit leaves another value, or none.
    let message: String? =
      switch reason {
      case .timeLimit: "time limit exceeded"
      case .cancelled: "cancelled"
      default: values.count > 1 ? values[1].string : nil
      }
    self.init(
      reason: reason, message: message ?? "not enough memory",
      traceback: values.count > 2 ? values[2].string ?? "" : "", value: values.first ?? .nil)
  }
}
