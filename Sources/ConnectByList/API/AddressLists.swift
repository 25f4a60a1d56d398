// Address lists from `String`. Not in Embedded Swift, whose programs have the Lua module and the C library.
#if !hasFeature(Embedded)
  // Endpoints, lists and options are the core's, and every program that connects needs them.
  @_exported import ConnectByListCore

  /// The first malformed entry of an array of texts.
  public struct AddressListError: Error, Equatable, CustomStringConvertible {
    /// From 0.
    public let index: Int
    public let text: String
    public let reason: EntryError

    public var description: String { "entry \(index), '\(text)': \(reason.message)" }
  }

  extension AddressList {
    /// A list of texts: `"192.0.2.1:80"`, `"[fe80::1%eth0]:80"`, `"db.example.net:https"`, …
    ///
    /// - Precondition: 1,000,000 entries at most.
    /// - Parameter defaultPort: the port of entries without one.
    /// - Throws: for the first entry that is malformed.
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

    /// Adds one entry. Throws, and leaves the list unchanged, where it is malformed.
    public mutating func add(_ text: String) throws(EntryError) {
      append(
        Entry(
          try EndpointText.parseEntry(
            Array(text.utf8), defaultPort: defaultPort, scopes: SystemScopes())))
    }

    /// Adds a host, which is a name or an address, with a port from 1 on.
    public mutating func add(host: String, port: UInt16) throws(EntryError) {
      try add(host: host, .number(port))
    }

    /// Adds a host with the name of a service, such as `"https"`, or a port in digits.
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

    /// A list of one host, for a connect by name. Throws `.invalidArgument` for a malformed host or service.
    package init(host: String, service: String) throws(ConnectError) {
      self.init(hashSecret: .ofThisProcess)
      do throws(EntryError) { try add(host: host, service: service) } catch {
        throw ConnectError(.invalidArgument, error.message)
      }
    }

    /// A list of one host, for a connect by name. Throws `.invalidArgument` for a malformed host and port 0.
    package init(host: String, port: UInt16) throws(ConnectError) {
      self.init(hashSecret: .ofThisProcess)
      do throws(EntryError) { try add(host: host, port: port) } catch {
        throw ConnectError(.invalidArgument, error.message)
      }
    }
  }
#endif
