import ConnectByList
import ConnectByListCore

/// `--probe`: connects to each of many entries, several at once, and prints a table in their order.
///
/// Exit status: 0 where every entry connected, 1 where one did not, 2 for arguments or a file that cannot be
/// understood.
enum ProbeTool {
  static let help: StaticString = """
    usage: connectbylist --probe FILE [options]
           connectbylist --probe LIST [options]
    Connects to each entry on its own, and prints a line for each, in their order:
    the entry, what became of it, the time, the address. FILE (- for stdin) has
    entries in lines, # begins a comment. A terminal shows the progress on standard
    error. Exit status: 0 all connected, 1 not all.

    LIST is HOST:PORT,… with names, IP addresses ([v6]:port), unix:PATH, srv:_NAME.

    Example:
      connectbylist --probe 192.0.2.1,192.0.2.2 --ports 22,443 --timeout 1

      --ports P,P,…         the ports of entries without one
      --at-once N           entries probed at once (1 to 512; default 64)
      --timeout S           the deadline of each entry (default 2)
    The other options are those of --connect (connectbylist --connect --help).

    """

  private static let others: [StaticString] = ["ports", "at-once", "help"]
  /// An entry takes up to three descriptors: its socket, its epoll, its resolver. Where the process may open
  /// fewer than needed, entries fail with EMFILE.
  private static let atOnceMax = 512

  static func run(_ arguments: [[UInt8]]) -> CInt {
    do throws(CommandLineRequest.Misuse) {
      var reader = ToolArguments(arguments)
      var request = ConnectRequest()
      request.options.timeout = .seconds(2)
      var words: [[UInt8]] = []
      var ports: [UInt16] = []
      var atOnce = 64
      while let item = try reader.next() {
        switch item {
        case .option(let name) where name.isHelp: return Tool.help(help)
        case .option(let name) where name.equals("ports"):
          ports = try Self.ports(try reader.value(of: name))
        case .option(let name) where name.equals("at-once"):
          let text = try reader.value(of: name)
          guard let number = Decimal.whole(text), (1...atOnceMax).contains(number) else {
            throw CommandLineRequest.Misuse("", quoting: text, " is not a number of 1 to 512")
          }
          atOnce = number
        case .option(let name): try request.take(name, from: &reader, beside: others)
        case .word(let word): words.append(word)
        case .end: throw CommandLineRequest.Misuse("'--' has no meaning here")
        }
      }
      guard let first = words.first else {
        throw CommandLineRequest.Misuse("'--probe' needs a file or a list")
      }
      var entries: [[UInt8]] = []
      if InputFile.isFile(first) {
        if words.count > 1 { throw CommandLineRequest.Misuse(extra: words[1], after: first) }
        guard let text = InputFile.read(first) else { return ExitStatus.misuse }
        entries = lines(of: text)
      } else {
        for word in words { entries += ListArgument.split(word) }
      }
      var table = ProbeTable(request, atOnce: atOnce)
      for entry in entries { try table.add(entry, ports: ports) }
      guard table.count > 0 else { throw CommandLineRequest.Misuse("there is no entry") }
      return table.run() ? ExitStatus.success : ExitStatus.failure
    } catch {
      return Tool.refuse(error)
    }
  }

  private static func ports(_ text: [UInt8]) throws(CommandLineRequest.Misuse) -> [UInt16] {
    var ports: [UInt16] = []
    for word in ListArgument.split(text) {
      guard let port = EndpointText.parsePort(word), port > 0 else {
        throw CommandLineRequest.Misuse("", quoting: word, " is not a port")
      }
      ports.append(port)
    }
    return ports
  }

  /// The entries of a file: one or more in a line, with commas; comments and blanks are left out.
  static func lines(of text: [UInt8]) -> [[UInt8]] {
    var entries: [[UInt8]] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let content = line.prefix { $0 != UInt8(ascii: "#") }
      for word in content.split(whereSeparator: {
        $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r")
          || $0 == UInt8(ascii: ",")
      }) {
        entries.append(Array(word))
      }
    }
    return entries
  }
}
