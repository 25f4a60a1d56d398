// What a Swift program finds convenient, on `String` and `Duration`. The loadable module and the C
// library have faces of their own and go without.
#if !hasFeature(Embedded)
  // Endpoints, lists and options are the core's, and whoever connects needs them.
  @_exported import ConnectByListCore
  import CConnectByListPosix

  // MARK: lists

  /// Which entry of an array is none, and why.
  public struct AddressListError: Error, Equatable, CustomStringConvertible {
    /// From 0.
    public let index: Int
    public let text: String
    public let reason: EntryError

    public var description: String { "entry \(index), '\(text)': \(reason.message)" }
  }

  extension EntryError: CustomStringConvertible {
    public var description: String { "\(message)" }
  }

  extension AddressList {
    /// A list of `"192.0.2.1:80"`, `"[fe80::1%eth0]:80"`, `"db.example.net:80"`, `"db.example.net:https"`.
    ///
    /// - Parameter defaultPort: the port of entries that have none.
    /// - Throws: for the first entry that is malformed. 1,000,000 entries at most are a
    ///   precondition.
    public init(
      _ entries: [String], defaultPort: UInt16? = nil
    ) throws(AddressListError) {
      self.init(defaultPort: defaultPort, hashSecret: .ofThisProcess)
      for (index, text) in entries.enumerated() {
        do throws(EntryError) { try add(text) } catch {
          throw AddressListError(index: index, text: text, reason: error)
        }
      }
    }

    /// Adds one entry; the list is as before where it is malformed.
    public mutating func add(_ text: String) throws(EntryError) {
      append(
        Entry(
          try EndpointText.parseEntry(
            Array(text.utf8), defaultPort: defaultPort, scopes: SystemScopes())))
    }

    /// Adds a host, a name or an address, with a port.
    public mutating func add(host: String, port: UInt16) throws(EntryError) {
      try add(host: host, .number(port))
    }

    /// Adds a host with a service, `"https"`; digits are the port that they say.
    public mutating func add(host: String, service: String) throws(EntryError) {
      try add(host: host, .service(Array(service.utf8)))
    }

    private mutating func add(host: String, _ port: PortText) throws(EntryError) {
      append(
        Entry(try EndpointText.parseHost(Array(host.utf8), port: port, scopes: SystemScopes())))
    }

    /// Adds a Unix stream address: a path, or `@` and an abstract name.
    public mutating func add(unixPath: String) throws(EntryError) {
      try append(unixPath: Array(unixPath.utf8))
    }
  }

  // MARK: times

  extension TimeSpan {
    /// Rounded up to a nanosecond; beyond 292 years it is `forever`.
    public init(_ duration: Duration) {
      let (seconds, attoseconds) = duration.components
      let whole = attoseconds / 1_000_000_000
      let rest: Int64 = attoseconds % 1_000_000_000 > 0 ? 1 : 0
      self = .seconds(seconds) + TimeSpan(nanoseconds: whole + rest)
    }
  }

  extension Duration {
    public init(_ span: TimeSpan) { self = .nanoseconds(span.nanoseconds) }
  }

  // MARK: connecting

  /// Connects to whichever entry of the list answers best: every pair of a local and a remote address
  /// is tried, the likeliest first, raced under the deadline `options.timeout`. Blocks.
  ///
  /// ```swift
  /// var list = try AddressList(["192.0.2.7:7000", "[2001:db8::7]:7000", "db.example.net:7000"])
  /// var options = ConnectOptions()
  /// options.timeout = .milliseconds(2500)
  /// var socket = try connectByList(&list, options: options)
  /// ```
  ///
  /// - Parameters:
  ///   - list: remembers how its endpoints did: the next connect with it goes to what worked.
  ///   - options: how the race is run. Names are resolved within `options.timeout`.
  ///   - settings: what is set on every attempt's socket before its SYN.
  ///   - cancel: ends the connect from elsewhere with `.cancelled`.
  /// - Throws: `.invalidArgument` for an empty list and an option out of its range, `.timedOut` at
  ///   the deadline, `.cancelled`; where every pair has failed, the error of the one that failed
  ///   last. The report has all of them.
  ///
  /// Any number of threads may connect at a time. The corresponding C function is `connect`.
  public func connectByList(
    _ list: inout AddressList, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil
  ) throws(ConnectError) -> Socket {
    try connectByList(&list, ConnectRequest(checking: options, settings, cancel))
  }

  /// The same with a list that is not kept: nothing is remembered.
  public func connectByList(
    _ list: AddressList, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil
  ) throws(ConnectError) -> Socket {
    var list = list
    return try connectByList(&list, ConnectRequest(checking: options, settings, cancel))
  }

  /// Connects to one host by its name, and a port or the name of a service.
  ///
  /// Throws `.invalidArgument` for what is no name, the resolver's errors (`.nameNotKnown`, …), and
  /// what `connectByList` throws.
  public func connectByName(
    _ host: String, service: String, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil
  ) throws(ConnectError) -> Socket {
    let list = try AddressList(host: host, service: service)
    return try connectByList(list, options: options, settings: settings, cancel: cancel)
  }

  /// The same with a port's number.
  public func connectByName(
    _ host: String, port: UInt16, options: ConnectOptions = ConnectOptions(),
    settings: SocketSettings = SocketSettings(), cancel: CancelHandle? = nil
  ) throws(ConnectError) -> Socket {
    let list = try AddressList(host: host, port: port)
    return try connectByList(list, options: options, settings: settings, cancel: cancel)
  }

  extension AddressList {
    /// A list of one host, for a connect by name. Throws `.invalidArgument` for what is no name.
    package init(host: String, service: String) throws(ConnectError) {
      self.init(hashSecret: .ofThisProcess)
      do throws(EntryError) { try add(host: host, service: service) } catch {
        throw ConnectError(.invalidArgument, error.message)
      }
    }

    package init(host: String, port: UInt16) throws(ConnectError) {
      self.init(hashSecret: .ofThisProcess)
      do throws(EntryError) { try add(host: host, port: port) } catch {
        throw ConnectError(.invalidArgument, error.message)
      }
    }
  }

  extension ConnectRequest {
    /// Throws `.invalidArgument` for an option out of its range: a connect with no attempt in flight,
    /// say, would never end.
    package init(
      checking options: ConnectOptions, _ settings: SocketSettings, _ cancel: CancelHandle? = nil
    ) throws(ConnectError) {
      if let defect = options.defect { throw ConnectError(.invalidArgument, defect) }
      self.init()
      self.options = options
      self.settings = settings
      self.cancel = cancel
      // Said too: an initializer need not run the observer.
      cancelDescriptor = cancel?.number ?? -1
    }
  }

  extension ConnectError: CustomStringConvertible {
    /// `ECONNREFUSED: connection refused after 0.001 s: 2 pairs tried; …`.
    public var description: String {
      var text = TextBuffer()
      text.append(errno)
      text.append(": ")
      text.append(message)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  extension Errno: CustomStringConvertible {
    public var description: String {
      var text = TextBuffer()
      text.append(self)
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  extension Endpoint {
    /// `192.0.2.1:80`, `[fe80::1%eth0]:80`. Of a Unix address only its list knows the path.
    public var text: String {
      var text = TextBuffer()
      text.append(self, scopes: SystemScopes())
      return String(decoding: text.bytes, as: UTF8.self)
    }
  }

  // MARK: threads

  /// Runs `body` on a thread of its own that blocks all signals, and ends with it. For the package's
  /// own use. Throws `.tryAgain` where there are too many, `.outOfMemory`.
  package func startDetachedThread(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    let box = Unmanaged.passRetained(ThreadBody(body))
    do throws(Errno) {
      try Syscalls.startDetachedThread(
        { Unmanaged<ThreadBody>.fromOpaque($0!).takeRetainedValue().body() }, box.toOpaque())
    } catch {
      box.release()
      throw error
    }
  }

  private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  // MARK: reading and writing

  extension Socket {
    /// A line without its end; `nil` at the end of the stream. Bytes that are not UTF-8 become
    /// U+FFFD.
    ///
    /// Throws `.timedOut` (every byte that came stays for the next read), `.messageTooLong` above
    /// `lineMax`, and what `recv` says.
    public mutating func readLine() throws(Errno) -> String? {
      try readOne(.line(keepsEnd: false)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Exactly so many bytes, fewer only at the end of the stream; `nil` where it has ended before.
    /// `readMax` at most.
    public mutating func read(_ count: Int) throws(Errno) -> [UInt8]? {
      precondition(count >= 0, "a size below 0")
      return try readOne(.bytes(count))
    }

    /// What is there now, at least one byte and at most `count`; `nil` at the end of the stream.
    public mutating func read(upTo count: Int) throws(Errno) -> [UInt8]? {
      precondition(count >= 1, "a size below 1")
      return try receiveAny(max: count).map { Array($0) }
    }

    /// All up to the end of the stream.
    public mutating func readAll() throws(Errno) -> [UInt8] { try readOne(.all) ?? [] }

    private mutating func readOne(_ format: ReadFormat) throws(Errno) -> [UInt8]? {
      var found: [UInt8]?
      try read(count: 1) { _ in
        format
      } item: { _, item in
        if case .bytes(let bytes) = item { found = Array(bytes) }
      }
      return found
    }

    /// Writes all of it, within `timeout`. Throws what `send` says: `.brokenPipe` where the peer has
    /// gone, never a signal. How much went out before an error is not told; `write(_:written:)`
    /// does.
    public mutating func write(_ bytes: [UInt8]) throws(Errno) {
      var failure: Errno?
      bytes.withUnsafeBytes { bytes in
        var slice = cbl_posix_slice(bytes: bytes.baseAddress, count: bytes.count)
        var written = 0
        do throws(Errno) {
          try withUnsafeMutablePointer(to: &slice) { slice throws(Errno) in
            try write(UnsafeMutableBufferPointer(start: slice, count: 1), written: &written)
          }
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
    }

    public mutating func write(_ text: String) throws(Errno) { try write(Array(text.utf8)) }
  }
#endif
