import CConnectByListTerminal
import ConnectByList
import ConnectByListCore

/// `--wait`: waits until one entry of each group is up, then runs a command in its place.
///
/// Exit status: the command's, or 0 without one; 1 where the timeout came first; 2 for arguments that
/// cannot be understood; 126 or 127 for a command that cannot be run or is not there.
enum WaitTool {
  static let help: StaticString = """
    usage: connectbylist --wait LIST [--wait LIST …] [options] [-- COMMAND [args]]
    Waits until one entry of each LIST accepts a connection, all lists at once, then
    replaces itself by COMMAND. A list that fails is tried again after 0.1 s, later
    after up to 1 s. A terminal shows the state of each list on standard error;
    elsewhere nothing is written unless it fails.

    LIST is HOST:PORT,… with names, IP addresses ([v6]:port), unix:PATH, srv:_NAME.

    Example:
      connectbylist --wait db1:5432,db2:5432 --wait unix:/run/cache.sock \\
        --timeout 30 -- ./server

      --timeout S           give up after S seconds, with status 1 (default: never)
      --verbose             tell also where standard error is no terminal
    The other options are those of --connect (connectbylist --connect --help).

    """

  private static let others: [StaticString] = ["wait", "verbose", "help"]

  /// - Parameter argv: the arguments as the process has them, for the command.
  static func run(
    _ arguments: [[UInt8]], argv: UnsafePointer<UnsafeMutablePointer<CChar>?>
  ) -> CInt {
    do throws(CommandLineRequest.Misuse) {
      var reader = ToolArguments(arguments)
      var request = ConnectRequest()
      var groups: [WaitGroup] = []
      var isVerbose = false
      var command: Int?
      // The list of the first `--wait` stands where the tool's name has been taken off.
      var isListDue = true
      reading: while let item = try reader.next() {
        switch item {
        case .option(let name) where name.isHelp: return Tool.help(help)
        case .option(let name) where name.equals("wait"):
          groups.append(try WaitGroup(try reader.value(of: name)))
        case .option(let name) where name.equals("verbose"): isVerbose = true
        case .option(let name): try request.take(name, from: &reader, beside: others)
        case .word(let word):
          guard isListDue else {
            throw CommandLineRequest.Misuse(
              "", quoting: word, " has no meaning here; a command stands after '--'")
          }
          groups.append(try WaitGroup(word))
          isListDue = false
        case .end(let next):
          command = next
          break reading
        }
      }
      guard !groups.isEmpty, !isListDue else {
        throw CommandLineRequest.Misuse("'--wait' needs a list")
      }
      if let command, command == arguments.count {
        throw CommandLineRequest.Misuse("a command has to follow '--'")
      }
      guard wait(for: groups, request, isVerbose: isVerbose) else { return ExitStatus.failure }
      return command.map { execute(argv + $0, arguments[$0]) } ?? ExitStatus.success
    } catch {
      return Tool.refuse(error)
    }
  }

  /// Returns whether all came up.
  private static func wait(
    for groups: [WaitGroup], _ request: ConnectRequest, isVerbose: Bool
  ) -> Bool {
    let began = Clock.now()
    let deadline = request.options.timeout.map { began + $0 } ?? .distantFuture
    var display = LiveLines(.error)
    let tells = isVerbose && !display.isShown
    if tells { groups.forEach { $0.tell("waiting for ", since: began) } }
    while true {
      var connects: [RunningConnect] = []
      var wakeUp = deadline
      var waitingCount = 0
      for group in groups where group.upAfter == nil {
        if let connect = group.advance(request, began: began, deadline: deadline) {
          connects.append(connect)
        } else {
          wakeUp = min(wakeUp, group.retryAt)
        }
        if group.upAfter == nil { waitingCount += 1 } else if tells { group.tell("", since: began) }
      }
      let now = Clock.now()
      if display.isShown {
        display.show(groups.map { $0.line(at: now, began: began, marks: display.marks) })
        wakeUp = min(wakeUp, now + .milliseconds(100))
      }
      if waitingCount == 0 { return true }
      if now >= deadline { break }
      RunningConnect.wait(for: connects, until: wakeUp)
    }
    for group in groups where group.upAfter == nil {
      Output.report(group.failureText(after: Clock.now() - began))
    }
    return false
  }

  private static func execute(
    _ argv: UnsafePointer<UnsafeMutablePointer<CChar>?>, _ name: [UInt8]
  ) -> CInt {
    let errno = Errno(-cbl_terminal_execute(argv))
    var text = TextBuffer()
    text.append("cannot run ")
    text.append(escaped: name)
    text.append(": ")
    text.append(errno.words)
    Output.report(text)
    // ENOENT.
    return errno == Errno(2) ? ExitStatus.notFound : ExitStatus.cannotRun
  }
}
