/// How a run failed.
public struct LuaError: Error, Sendable, CustomStringConvertible {
  public enum Reason: Sendable {
    /// The text could not be compiled, or the script raised an error, or a result has no copy: tables nested
    /// more than 32 deep.
    case failed
    case outOfMemory
    /// The time limit has passed. What the script had changed stays changed.
    case timeLimit
    case cancelled
    /// The state was closed before.
    case closed
  }

  public let reason: Reason
  /// The text of the error value, as `tostring` gives it.
  public let message: String
  /// The calls that were active, as Lua's program prints them; empty for a text that was not compiled.
  public let traceback: String
  /// What the script has raised.
  public let value: LuaValue

  public var description: String { traceback.isEmpty ? message : message + "\n" + traceback }
}
