import ConnectByList
import ConnectByListCore

/// `--connect`: connects to whichever entry of a list answers best, then relays.
///
/// Exit status: 0 when the peer has ended the connection, 1 where nothing connected or the connection broke,
/// 2 for arguments that cannot be understood.
enum ConnectTool {
  static let help: StaticString = """
    usage: connectbylist --connect LIST [options]
    Connects to one entry of LIST, then relays: standard input to the peer, and what
    the peer sends to standard output. The end of the input is passed on, and the
    tool ends when the peer has sent its end. A terminal shows the race on standard
    error while it runs.

    LIST is HOST:PORT,… with names, IP addresses ([v6]:port), unix:PATH, srv:_NAME.

    Example:
      printf 'GET / HTTP/1.0\\r\\n\\r\\n' |
        connectbylist --connect a.example:80,b.example:80 --timeout 3

      --quiet               no display on a terminal
      --report=FORMAT       write a report of the race to stderr: text, json or svg

    """

  private static let others: [StaticString] = ["quiet", "report", "help"]
  /// How often the durations of attempts are shown on a terminal.
  private static let refresh = TimeSpan.milliseconds(100)

  static func run(_ arguments: [[UInt8]]) -> CInt {
    do throws(CommandLineRequest.Misuse) {
      var reader = ToolArguments(arguments)
      var request = ConnectRequest()
      var list = AddressList()
      var isQuiet = false
      var report: ReportFormat?
      while let item = try reader.next() {
        switch item {
        case .option(let name) where name.isHelp:
          return Tool.help(help, CommandLineRequest.Misuse.connectOptionsHelp)
        case .option(let name) where name.equals("quiet"): isQuiet = true
        case .option(let name) where name.equals("report"):
          report = try ReportFormat.parse(try reader.value(of: name))
        case .option(let name): try request.take(name, from: &reader, beside: others)
        case .word(let word): try ListArgument.add(word, to: &list)
        case .end: throw CommandLineRequest.Misuse("'--' has no meaning here")
        }
      }
      guard list.count > 0 else { throw CommandLineRequest.Misuse("'--connect' needs a list") }
      return connect(list, request, isQuiet: isQuiet, report)
    } catch {
      return Tool.refuse(error)
    }
  }

  private static func connect(
    _ list: AddressList, _ request: ConnectRequest, isQuiet: Bool, _ format: ReportFormat?
  ) -> CInt {
    var socket: Socket
    do throws(ConnectError) {
      socket = try race(list, request, isQuiet: isQuiet)
    } catch {
      Output.report(error.message)
      format?.write(error.report)
      return ExitStatus.failure
    }
    if let report = socket.report { format?.write(report) }
    var relay = Relay(socket.detach())
    do throws(Errno) {
      try relay.run()
      return ExitStatus.success
    } catch {
      var text = TextBuffer()
      text.append("the connection broke: ")
      text.append(error.words)
      Output.report(text)
      return ExitStatus.failure
    }
  }

  /// The race, shown where standard error is a terminal.
  private static func race(
    _ list: AddressList, _ request: ConnectRequest, isQuiet: Bool
  ) throws(ConnectError) -> Socket {
    let connect = try RunningConnect(list, request)
    var display = LiveLines(.error)
    let isShown = display.isShown && !isQuiet
    while !connect.advance() {
      let now = Clock.now()
      if isShown {
        display.show(LiveLines.lines(of: connect.operation, at: now, marks: display.marks))
      }
      RunningConnect.wait(for: [connect], until: isShown ? now + refresh : .distantFuture)
    }
    if isShown {
      display.show(LiveLines.lines(of: connect.operation, at: Clock.now(), marks: display.marks))
    }
    return try connect.conclude()
  }
}
