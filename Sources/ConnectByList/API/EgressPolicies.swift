// Policies from `String`.
#if !hasFeature(Embedded)
  import ConnectByListCore

  extension EgressPolicy {
    /// Parses rules; the grammar is that of `init(parsing:)`.
    ///
    /// ```swift
    /// let policy = try EgressPolicy("allow 10.1.0.0/16:443; deny private metadata; allow any")
    /// ```
    public init(_ text: String) throws(EgressPolicyError) {
      try self.init(parsing: Array(text.utf8))
    }

    /// Adds the rules of one destination, such as `"10.1.0.0/16:443"`. For `"names"` and
    /// `"test-endpoints"` it sets the switch.
    public mutating func append(_ action: Action, _ target: String) throws(EgressPolicyError) {
      try append(action, parsing: Array(target.utf8))
    }
  }

  extension EgressPolicyError: CustomStringConvertible {
    public var description: String { String(decoding: message.bytes, as: UTF8.self) }
  }
#endif
