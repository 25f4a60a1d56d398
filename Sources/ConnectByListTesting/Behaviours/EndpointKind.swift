import ConnectByListCore

/// What a test endpoint does.
public enum EndpointKind: Sendable {
  /// Accepts connections and sends back what it receives.
  case echo
  /// Accepts connections, and reads and drops what comes.
  case discard
  /// Accepts connections, reads nothing and says nothing. It closes a connection whose client has ended
  /// its stream.
  case accepting
  /// Refuses connections: it is bound and does not listen, so no other program can listen there.
  case refused
  /// Completes no handshake: its queue is full, so the kernel drops every SYN.
  case silent
  /// An echo that sends each byte so late.
  case slow(TimeSpan)
  /// Resets connections. A client of a reset without a limit may see it while it still connects.
  case reset(End = End())
  /// Closes connections.
  case closing(End = End())
  /// Plays a script on each connection: the only one on all, or one of several on each in turn. A
  /// connection for which none is left is closed, and is a failure.
  case script([[ScriptStep]])
  /// Forwards to a service through a network that behaves badly.
  case proxy(ProxyTarget, ProxySettings)

  /// Its name in Lua.
  public var name: StaticString {
    switch self {
    case .echo: "echo"
    case .discard: "discard"
    case .accepting: "accepting"
    case .refused: "refused"
    case .silent: "silent"
    case .slow: "slow"
    case .reset: "reset"
    case .closing: "closing"
    case .script: "script"
    case .proxy: "proxy"
    }
  }

  /// When a connection ends: when the first of the limits is reached; at once if there is none.
  public struct End: Equatable, Sendable {
    /// This number of bytes has been received.
    public var afterBytes: Int?
    /// So long after it was accepted.
    public var afterTime: TimeSpan?

    public init(afterBytes: Int? = nil, afterTime: TimeSpan? = nil) {
      self.afterBytes = afterBytes
      self.afterTime = afterTime
    }
  }
}

/// The service behind a proxy.
public enum ProxyTarget: Sendable {
  case endpoint(Endpoint)
  case unix([UInt8])
}
