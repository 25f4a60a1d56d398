import ConnectByListCore

/// What has happened at an endpoint.
struct ServerRecord: Sendable {
  /// Received bytes that are kept, of all connections.
  static let keptMax = 1 << 20
  /// Failures that are kept.
  static let failuresMax = 1000

  private(set) var acceptedCount = 0
  /// The first bytes of each connection, in the order of acceptance.
  private(set) var received: [[UInt8]] = []
  private var keptCount = 0
  private(set) var failures: [[UInt8]] = []

  mutating func noteAccepted() {
    acceptedCount += 1
    received.append([])
  }

  mutating func note(received bytes: [UInt8], _ number: Int) {
    let kept = bytes.prefix(Self.keptMax - keptCount)
    keptCount += kept.count
    received[number].append(contentsOf: kept)
  }

  /// - Parameter number: of the connection, from 0; `nil`: of the endpoint.
  mutating func note(failure: TextBuffer, _ number: Int?) {
    guard failures.count < Self.failuresMax else { return }
    var text = TextBuffer(number == nil ? "endpoint: " : "connection ")
    if let number {
      text.append(decimal: number + 1)
      text.append(": ")
    }
    text.append(failure.bytes)
    failures.append(text.bytes)
  }
}

extension TextBuffer {
  init(_ text: StaticString) {
    self.init()
    append(text)
  }

  init(_ errno: Errno) {
    self.init()
    append(errno.words)
  }
}
