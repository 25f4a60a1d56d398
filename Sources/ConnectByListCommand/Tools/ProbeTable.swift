import ConnectByList
import ConnectByListCore

/// The entries of `--probe`, their connects, and the table.
struct ProbeTable {
  private struct Row {
    let name: [UInt8]
    let list: AddressList
    var connect: RunningConnect?
    /// The line without the name; `nil` until its connect has ended.
    var result: TextBuffer?
  }

  private let request: ConnectRequest
  private let atOnce: Int
  private var rows: [Row] = []
  private var nameWidth = 0
  private var connectedCount = 0

  init(_ request: ConnectRequest, atOnce: Int) {
    self.request = request
    self.atOnce = atOnce
  }

  var count: Int { rows.count }

  /// Adds an entry as it is, or where it has no port once for each of the ports.
  mutating func add(
    _ entry: [UInt8], ports: [UInt16]
  ) throws(CommandLineRequest.Misuse) {
    var list = AddressList()
    do throws(CommandLineRequest.Misuse) {
      try ListArgument.addEntry(entry, to: &list)
    } catch {
      // Without ports to add, the defect is the entry's own.
      if ports.isEmpty { throw error }
    }
    if list.count > 0 {
      try append(entry, list)
      return
    }
    for port in ports {
      var list = AddressList()
      try ListArgument.addEntry(entry, to: &list, defaultPort: port)
      var name = TextBuffer()
      switch list[0] {
      case .name(let host): name.append(host)
      case .endpoint(let endpoint): name.append(endpoint, scopes: SystemScopes())
      }
      try append(name.bytes, list)
    }
  }

  /// As many as a list may have.
  private static let countMax = 1_000_000

  private mutating func append(
    _ name: [UInt8], _ list: AddressList
  ) throws(CommandLineRequest.Misuse) {
    guard rows.count < Self.countMax else {
      throw CommandLineRequest.Misuse("more than 1,000,000 entries")
    }
    var escaped = TextBuffer()
    escaped.append(escaped: name, limit: 253)
    rows.append(Row(name: escaped.bytes, list: list))
    nameWidth = max(nameWidth, escaped.bytes.characterCount)
  }

  /// Probes all, printing each row as soon as those before it are printed. Returns whether all connected.
  mutating func run() -> Bool {
    var display = LiveLines(.error)
    var next = 0
    var printed = 0
    var ended = 0
    var active: [Int] = []
    while ended < rows.count {
      while active.count < atOnce && next < rows.count {
        start(next)
        if rows[next].connect == nil { ended += 1 } else { active.append(next) }
        next += 1
      }
      active.removeAll { index in
        guard let connect = rows[index].connect, connect.advance() else { return false }
        finish(index, connect)
        ended += 1
        return true
      }
      if printed < rows.count && rows[printed].result != nil {
        display.show([])
        printed = printRows(from: printed)
      }
      let now = Clock.now()
      if display.isShown && ended < rows.count {
        var text = TextBuffer()
        text.append(decimal: ended)
        text.append(" of ")
        text.append(decimal: rows.count)
        text.append(" probed, ")
        text.append(decimal: connectedCount)
        text.append(" connected")
        display.show([LiveLines.Line(text: text, color: .faint)])
      }
      let connects = active.map { rows[$0].connect! }
      // If a connect has ended, the next entry starts without waiting.
      let isFull = active.count == atOnce || next == rows.count
      if ended < rows.count && isFull {
        RunningConnect.wait(
          for: connects, until: display.isShown ? now + .milliseconds(100) : .distantFuture)
      }
    }
    return connectedCount == rows.count
  }

  private mutating func start(_ index: Int) {
    do throws(ConnectError) {
      rows[index].connect = try RunningConnect(rows[index].list, request)
    } catch {
      rows[index].result = Self.text(of: error)
    }
  }

  private mutating func finish(_ index: Int, _ connect: RunningConnect) {
    rows[index].connect = nil
    do throws(ConnectError) {
      var socket = try connect.conclude()
      var text = TextBuffer()
      Self.append(Outcome.connected.word, socket.report?.elapsed ?? .zero, to: &text)
      do throws(Errno) {
        if let remote = try socket.remoteEndpoint(), remote.family != .unix {
          text.append(remote, scopes: SystemScopes())
        }
      } catch {
        // The peer has closed the connection meanwhile. It did connect.
      }
      connectedCount += 1
      rows[index].result = text
    } catch {
      rows[index].result = Self.text(of: error)
    }
  }

  private static func text(of error: ConnectError) -> TextBuffer {
    var text = TextBuffer()
    append(Outcome(of: error.errno).word, error.report.elapsed, to: &text)
    text.append(error.errno)
    return text
  }

  private static func append(
    _ word: StaticString, _ elapsed: TimeSpan, to text: inout TextBuffer
  ) {
    text.append(word)
    // The longest word is "unreachable".
    for _ in word.utf8CodeUnitCount..<12 { text.append(" ") }
    var time = TextBuffer()
    time.append(milliseconds: elapsed)
    for _ in 0..<max(0, 10 - time.bytes.count) { text.append(" ") }
    text.append(time.bytes)
    text.append(" ms  ")
  }

  /// Prints the rows that have ended, in order. Returns the first that has not.
  private mutating func printRows(from first: Int) -> Int {
    var index = first
    var text = TextBuffer(capacity: 80)
    while index < rows.count, let result = rows[index].result {
      text.append(rows[index].name)
      for _ in rows[index].name.characterCount..<nameWidth + 2 { text.append(" ") }
      text.append(result.bytes)
      text.append("\n")
      index += 1
    }
    Output.standard.write(text)
    return index
  }
}
