import ConnectByList
import ConnectByListCore

/// One list of `--wait`, tried again and again until an entry of it accepts a connection.
final class WaitGroup {
  /// The first and the longest wait between two tries. Each is twice the one before it.
  private static let backoffMin = TimeSpan.milliseconds(100)
  private static let backoffMax = TimeSpan.seconds(1)
  /// The deadline of the first try, and the longest. The kernel sends the SYN to a silent host again after 1,
  /// 3, 7, … s; a new try sends one at once. Each deadline is twice the one before it, so that a distant
  /// host can answer in time.
  private static let roundMin = TimeSpan.seconds(1)
  private static let roundMax = TimeSpan.seconds(8)

  private let text: [UInt8]
  private let list: AddressList
  private var connect: RunningConnect?
  private var hasTried = false
  private var backoff = backoffMin
  private var round = roundMin
  /// Why the last try failed, and which entry that was.
  private var lastFailure: [UInt8] = []
  private(set) var retryAt: Instant
  /// How long it took; `nil` as long as no entry is up.
  private(set) var upAfter: TimeSpan?
  /// The address that accepted.
  private var remote: Endpoint?

  init(_ text: [UInt8]) throws(CommandLineRequest.Misuse) {
    self.text = text
    list = try ListArgument.parse(text)
    retryAt = Clock.now()
  }

  /// Does what is due. Returns the connect that is under way; `nil` where it is up or waits for `retryAt`.
  func advance(_ request: ConnectRequest, began: Instant, deadline: Instant) -> RunningConnect? {
    if connect == nil {
      let now = Clock.now()
      // The first try is made also where the timeout is 0.
      guard now >= retryAt, now < deadline || !hasTried else { return nil }
      begin(request, before: deadline, at: now)
    }
    guard let current = connect else { return nil }
    guard current.advance() else { return current }
    connect = nil
    do throws(ConnectError) {
      var socket = try current.conclude()
      do throws(Errno) { remote = try socket.remoteEndpoint() } catch {}
      upAfter = Clock.now() - began
    } catch {
      fail(error.message)
    }
    return nil
  }

  private func begin(_ request: ConnectRequest, before deadline: Instant, at now: Instant) {
    hasTried = true
    var request = request
    request.options.timeout =
      deadline == .distantFuture ? round : min(round, max(.zero, deadline - now))
    do throws(ConnectError) {
      connect = try RunningConnect(list, request)
      round = min(round * 2, Self.roundMax)
    } catch {
      // For example, an interface that does not exist yet.
      fail(error.message)
    }
  }

  private func fail(_ message: [UInt8]) {
    lastFailure = message
    retryAt = Clock.now() + backoff
    backoff = min(backoff * 2, Self.backoffMax)
  }

  // MARK: words

  func line(at now: Instant, began: Instant, marks: LiveLines.Marks) -> LiveLines.Line {
    var words = TextBuffer()
    words.append(upAfter == nil ? marks.waiting : marks.connected)
    words.append(" ")
    words.append(escaped: text)
    if upAfter != nil {
      appendUp(to: &words)
      return LiveLines.Line(text: words, color: .good)
    }
    words.append(" ")
    words.append(seconds: now - began)
    words.append(" s ")
    words.append(lastFailure)
    return LiveLines.Line(text: words)
  }

  /// Writes a line for logs: `waiting for db:5432`, `db:5432 is up after 0.312 s: 192.0.2.1:5432`.
  func tell(_ before: StaticString, since began: Instant) {
    var words = TextBuffer()
    words.append(before)
    words.append(escaped: text)
    if upAfter != nil { appendUp(to: &words) }
    Output.report(words)
  }

  private func appendUp(to words: inout TextBuffer) {
    words.append(" is up after ")
    words.append(seconds: upAfter ?? .zero)
    words.append(" s")
    if let remote, remote.family != .unix {
      words.append(": ")
      words.append(remote, scopes: SystemScopes())
    }
  }

  func failureText(after span: TimeSpan) -> TextBuffer {
    var words = TextBuffer()
    words.append(escaped: text)
    words.append(" is not up after ")
    words.append(seconds: span)
    words.append(" s")
    if !lastFailure.isEmpty {
      words.append(": ")
      words.append(lastFailure)
    }
    return words
  }
}
