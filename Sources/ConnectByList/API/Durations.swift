#if !hasFeature(Embedded)
  import ConnectByListCore

  extension TimeSpan {
    /// Rounded up to a nanosecond; `forever` where it is above 292 years.
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
#endif
