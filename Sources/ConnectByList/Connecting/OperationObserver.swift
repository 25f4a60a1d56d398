/// Sees every connect of this process while it runs.
package enum OperationObserver {
  /// Called on the thread that drives a connect, each time its steps have been performed. `nil`: there is
  /// no observer.
  ///
  /// For the program that has this library in it. It is set before the first connect begins; there is no
  /// lock.
  nonisolated(unsafe) package static var current: ((Operation) -> Void)?
}
