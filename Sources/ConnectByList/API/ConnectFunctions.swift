#if !hasFeature(Embedded)
  import ConnectByListCore

  /// Connects to one entry of the list: tries every pair of a local and a remote address, the likeliest
  /// first, raced within the deadline `options.timeout`. Blocks.
  ///
  /// ```swift
  /// var list = try AddressList(["192.0.2.7:7000", "[2001:db8::7]:7000", "db.example.net:7000"])
  /// var options = ConnectOptions()
  /// options.timeout = .milliseconds(2500)
  /// var socket = try connectByList(&list, options: options)
  /// ```
  ///
  /// Any number of threads may connect at a time. The corresponding C function is `connect`.
  ///
  /// - Parameters:
  ///   - list: remembers how its endpoints did; the next connect with it begins with what worked.
  ///   - options: how the race is run. Names are resolved within `options.timeout`.
  ///   - settings: the options that are set on every attempt's socket before its SYN.
  ///   - cancel: ends the connect from another thread or a signal handler.
  ///   - policy: which destinations may be connected to; others fail with `.accessDenied`.
  /// - Throws: `.invalidArgument` for an empty list and for an option out of its range; `.timedOut` at the
  ///   deadline; `.cancelled`; where every pair has failed, the error of the last failure. The report has
  ///   all of them.
  public func connectByList(
    _ list: inout AddressList, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil,
    policy: EgressPolicy = .unrestricted
  ) throws(ConnectError) -> Socket {
    try connectByList(&list, ConnectRequest(checking: options, settings, cancel, policy))
  }

  /// Connects to one entry of a list that is used once: nothing is remembered. See
  /// `connectByList(_:options:settings:cancel:policy:)`.
  public func connectByList(
    _ list: AddressList, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil,
    policy: EgressPolicy = .unrestricted
  ) throws(ConnectError) -> Socket {
    var list = list
    return try connectByList(&list, ConnectRequest(checking: options, settings, cancel, policy))
  }

  /// Connects to a host, by its name and the name of a service or a port in digits. Blocks.
  ///
  /// Throws `.invalidArgument` for a malformed host or service, the resolver's errors (`.nameNotKnown`, …),
  /// and the errors of `connectByList`.
  public func connectByName(
    _ host: String, service: String, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil,
    policy: EgressPolicy = .unrestricted
  ) throws(ConnectError) -> Socket {
    let list = try AddressList(host: host, service: service)
    return try connectByList(
      list, options: options, settings: settings, cancel: cancel, policy: policy)
  }

  /// Connects to a port of a host, by the host's name. See `connectByName(_:service:…)`.
  public func connectByName(
    _ host: String, port: UInt16, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil,
    policy: EgressPolicy = .unrestricted
  ) throws(ConnectError) -> Socket {
    let list = try AddressList(host: host, port: port)
    return try connectByList(
      list, options: options, settings: settings, cancel: cancel, policy: policy)
  }

  extension ConnectRequest {
    /// Throws `.invalidArgument` for an option out of its range: with `inFlight` 0, say, a connect would
    /// never end.
    package init(
      checking options: ConnectOptions, _ settings: SocketSettings, _ cancel: CancelHandle? = nil,
      _ policy: EgressPolicy = .unrestricted
    ) throws(ConnectError) {
      if let defect = options.defect { throw ConnectError(.invalidArgument, defect) }
      self.init()
      self.options = options
      self.settings = settings
      self.cancel = cancel
      self.policy = policy
      // An initializer does not call the property observer of `cancel`.
      cancelDescriptor = cancel?.number ?? -1
    }
  }
#endif
