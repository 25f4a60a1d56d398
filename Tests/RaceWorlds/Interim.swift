import ConnectByListCore

// Until the options have these fields.
extension ConnectOptions {
  var retry: TimeSpan? { nil }
  var givenAttemptDelay: TimeSpan? {
    attemptDelay == .milliseconds(150) ? nil : attemptDelay
  }
}
