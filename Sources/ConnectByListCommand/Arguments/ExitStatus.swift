/// What the program returns to whoever started it.
enum ExitStatus {
  static let success: CInt = 0
  /// A script or a connect has failed; the interpreter's options are wrong.
  static let failure: CInt = 1
  /// A tool's arguments or a file cannot be understood.
  static let misuse: CInt = 2
  /// A command cannot be run, or is not there: what shells and `env` return.
  static let cannotRun: CInt = 126
  static let notFound: CInt = 127
}
