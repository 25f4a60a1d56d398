import ConnectByListCore

extension Scenario {
  /// When Linux resends a SYN without an answer, counted from the first SYN.
  ///
  /// Linux 6.5 and later: `tcp_syn_linear_timeouts` = 4 resends a second apart, then `tcp_syn_retries`
  /// = 6 more after 1, 2, 4, 8, 16 and 32 s (ip-sysctl.rst).
  public static let resends: [TimeSpan] = [1, 2, 3, 4, 5, 7, 11, 19, 35, 67].map { .seconds($0) }

  /// When Linux gives up with ETIMEDOUT, counted from the first SYN: the last one has waited 64 s.
  public static let kernelLimit = TimeSpan.seconds(131)
}
