import ConnectByListCore

/// Why a connect did not begin, or did not succeed.
public struct ConnectError: Error, Sendable {
  public let errno: Errno
  /// What was tried and what happened, in one line without the call's name.
  public let message: [UInt8]
  public let report: ConnectReport

  /// For a connect that did not begin. `message`: `nil` for the words of `errno`.
  package init(_ errno: Errno, _ message: StaticString? = nil) {
    self.errno = errno
    self.message = [UInt8](message ?? errno.words)
    report = ConnectReport(errno)
  }

  /// For a connect that did not begin.
  package init(_ errno: Errno, _ message: TextBuffer) {
    self.errno = errno
    self.message = message.bytes
    report = ConnectReport(errno)
  }

  /// For a connect that was lost or cancelled.
  init(_ report: ConnectReport) {
    errno = report.errno!
    message = report.summary().bytes
    self.report = report
  }
}
