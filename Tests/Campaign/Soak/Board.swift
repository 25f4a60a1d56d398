import ConnectByList
import Foundation
import Synchronization

/// What the workers and the main thread tell each other.
final class Board: Sendable {
  private struct State {
    var isPaused = false
    var isEnding = false
    var workers = 0
    var resting = 0
    var rounds: [String: Int] = [:]
    var bytes = 0
    var latest = 0.0
    var failures: [String] = []
  }
  private let state = Mutex(State())

  // MARK: for workers

  /// Whether to go on: false in a pause and at the end. A worker then lets go of all it has and calls `rest`.
  var isWorking: Bool { state.withLock { !$0.isPaused && !$0.isEnding } }
  var isEnding: Bool { state.withLock { $0.isEnding } }

  func add(_ kind: String, bytes: Int = 0, late: Double = 0) {
    state.withLock {
      $0.rounds[kind, default: 0] += 1
      $0.bytes += bytes
      $0.latest = max($0.latest, late)
    }
  }

  func fail(_ text: String) { state.withLock { $0.failures.append(text) } }

  func beginRest() { state.withLock { $0.resting += 1 } }
  func endRest() { state.withLock { $0.resting -= 1 } }
  var isPaused: Bool { state.withLock { $0.isPaused && !$0.isEnding } }

  /// Blocks while the pause lasts.
  func rest() {
    beginRest()
    while isPaused { usleep(2000) }
    if !isEnding { endRest() }
  }

  /// Starts a thread that works until the end.
  func startThread(_ name: String, _ body: @escaping @Sendable () throws -> Void) {
    state.withLock { $0.workers += 1 }
    let thread = Thread { [self] in
      while !isEnding {
        do { try body() } catch {
          fail("\(name): \(error)")
          while isWorking { usleep(2000) }
        }
        rest()
      }
    }
    thread.start()
  }

  /// Starts a task that works until the end.
  func startTask(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
    state.withLock { $0.workers += 1 }
    Task { [self] in
      while !isEnding {
        do { try await body() } catch {
          fail("\(name): \(error)")
          while isWorking { try? await Task.sleep(for: .milliseconds(2)) }
        }
        beginRest()
        while isPaused { try? await Task.sleep(for: .milliseconds(2)) }
        if !isEnding { endRest() }
      }
    }
  }

  // MARK: for the main thread

  /// Makes all workers rest, and waits for that. Returns false where one of them does not come.
  func pause(atEnd: Bool) -> Bool {
    state.withLock {
      $0.isPaused = true
      $0.isEnding = atEnd
    }
    for _ in 0..<60_000 {
      if state.withLock({ $0.resting == $0.workers }) { return true }
      usleep(1000)
    }
    return false
  }

  func goOn() { state.withLock { $0.isPaused = false } }

  var failures: [String] { state.withLock { $0.failures } }

  var total: Int { state.withLock { $0.rounds.values.reduce(0, +) } }
  var bytes: Int { state.withLock { $0.bytes } }

  /// By how many seconds the latest timeout since the last call was late.
  func takeLatest() -> Double {
    state.withLock { state in
      defer { state.latest = 0 }
      return state.latest
    }
  }

  /// Each kind of round, and how many there were.
  var kinds: String {
    state.withLock { state in
      state.rounds.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        .joined(separator: ", ")
    }
  }
}
