import ConnectByListCore
import Testing

@testable import ConnectByListTesting

/// Scripts and patterns, without sockets and without a clock.
struct ScriptTests {
  private let start = Instant(nanoseconds: 0)

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Runs a script to its end, over what the client sends in turn; an empty text ends its stream. Returns
  /// the steps other than waits for the client.
  private func run(_ steps: [ScriptStep], _ chunks: [String]) -> ([ServerStep], failure: String?) {
    var run = ScriptRun(steps)
    var taken: [ServerStep] = []
    var rest = chunks
    // More than any script of these tests needs.
    for _ in 0..<100 {
      let step = run.nextStep(at: start)
      if case .wait(until: .distantFuture) = step {
        guard !rest.isEmpty else { break }
        let chunk = rest.removeFirst()
        if chunk.isEmpty { run.end(byReset: false) } else { run.receive(bytes(chunk)) }
        continue
      }
      taken.append(step)
      if step == .close || step == .reset { break }
      if case .wait = step { break }
    }
    return (taken, run.failure.map { String(decoding: $0.bytes, as: UTF8.self) })
  }

  @Test func `a script answers when what it expects has come, in any portions`() {
    let steps: [ScriptStep] = [
      .expect(bytes("PING\r\n")), .send(bytes("+PONG\r\n")), .expectLine(bytes("QUIT")), .close,
    ]
    let whole: [ServerStep] = [.send(bytes("+PONG\r\n")), .close]
    #expect(run(steps, ["PING\r\n", "QUIT\n"]) == (whole, nil))
    #expect(run(steps, ["PING\r\nQUIT\r\n"]) == (whole, nil))
    #expect(run(steps, "PING\r\nQUIT\r\n".map { String($0) }) == (whole, nil))
  }

  @Test func `what differs is said with the number of its step, and closes the connection`() {
    let steps: [ScriptStep] = [
      .expect(bytes("A")), .expectLine(bytes("two*")), .expectAny(3), .expectLine(nil),
    ]
    let cases: [([String], String)] = [
      (["B"], "step 1: expected 'A', got 'B'"),
      (["A", "x"], "no difference yet"),
      (["A", "tow\n"], "step 2: expected the line 'two*', got 'tow\\x0a'"),
      (["Atwo\n", "xy", ""], "step 3: expected 3 bytes, got 'xy' and the end of the stream"),
      (["A", ""], "step 2: expected the line 'two*', got the end of the stream"),
      (["Atwo\n123", "a", ""], "step 4: expected a line, got 'a' and the end of the stream"),
      (
        ["Atwo!\n123a\n", "more"],
        "after the last step: expected the end of the stream, got 'more'"
      ),
    ]
    for (chunks, failure) in cases {
      let outcome = run(steps, chunks)
      if failure == "no difference yet" {
        #expect(outcome == ([], nil))
      } else {
        #expect(outcome.failure == failure)
        #expect(outcome.0 == [.close])
      }
    }
  }

  @Test func `a reset by the client is said`() {
    var run = ScriptRun([.expect([65])])
    run.end(byReset: true)
    #expect(run.nextStep(at: start) == .close)
    #expect(
      run.failure.map { String(decoding: $0.bytes, as: UTF8.self) }
        == "step 1: expected 'A', got a reset")
  }

  @Test func `a wait begins when its turn comes and ends exactly`() {
    var run = ScriptRun([.send([1]), .wait(.milliseconds(20)), .shut, .reset])
    #expect(run.nextStep(at: start) == .send([1]))
    let began = start + .milliseconds(5)
    let end = began + .milliseconds(20)
    #expect(run.nextStep(at: began) == .wait(until: end))
    #expect(run.nextStep(at: began + .milliseconds(19)) == .wait(until: end))
    #expect(run.nextStep(at: end) == .shut)
    #expect(run.nextStep(at: end) == .reset)
  }

  @Test func `it reads no more than a MiB ahead, and a longer expectation fails`() {
    var run = ScriptRun([.expect(bytes("*!"))])
    run.receive([UInt8](repeating: 46, count: ScriptRun.pendingMax - 1))
    #expect(run.takesBytes)
    #expect(run.nextStep(at: start) == .wait(until: .distantFuture))
    run.receive([46])
    #expect(!run.takesBytes)
    #expect(run.nextStep(at: start) == .close)
    #expect(run.failure != nil)
  }

  // MARK: patterns

  @Test func `a star is any run of bytes, and an escaped one a star`() {
    typealias Match = ScriptPattern.Match
    let cases: [(String, String, Match)] = [
      ("abc", "abcd", .matches(count: 3)), ("abc", "ab", .needsMore), ("abc", "abd", .differs),
      ("abc", "x", .differs), ("", "x", .matches(count: 0)),
      ("GET * HTTP", "GET /x HTTP/1.1", .matches(count: 11)), ("GET * HTTP", "GET /x", .needsMore),
      ("GET * HTTP", "PUT", .differs), ("a*b*c", "a-c-b-c-", .matches(count: 7)),
      ("a*", "a", .matches(count: 1)), ("a*", "abc", .matches(count: 3)),
      ("*b", "aab", .matches(count: 3)), ("\\*1", "*1", .matches(count: 2)),
      ("\\*1", "x1", .differs), ("\\", "\\", .matches(count: 1)),
    ]
    for (pattern, text, match) in cases {
      #expect(ScriptPattern(bytes(pattern)).match(bytes(text)[...]) == match, "\(pattern) \(text)")
    }
  }

  @Test func `a line has to match as a whole`() {
    let cases: [(String, String, Bool)] = [
      ("abc", "abc", true), ("abc", "abcd", false), ("a*c", "abcbc", true), ("a*c", "ac", true),
      ("a*c", "a", false), ("a*a", "a", false), ("*", "", true), ("a*b*c", "a1b2c", true),
      ("a*b*c", "a1c", false), ("a**c", "abc", true), ("*b*", "b", true), ("\\*", "*", true),
      ("\\*", "x", false),
    ]
    for (pattern, text, matches) in cases {
      #expect(
        ScriptPattern(bytes(pattern)).matchesAll(bytes(text)[...]) == matches, "\(pattern) \(text)")
    }
  }
}

private func == (
  a: ([ServerStep], failure: String?), b: ([ServerStep], String?)
) -> Bool {
  a.0 == b.0 && a.failure == b.1
}
