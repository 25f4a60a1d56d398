import ConnectByListCore

/// What a command line asks for. Reading it is pure.
///
/// The options of the interpreter are those of Lua's own program (manual section 7), read in the same
/// order. Text that goes on to Lua is identified by its place in the command line.
enum CommandLineRequest: Equatable {
  /// `--help`: print ``usage``.
  case help
  /// One of the program's own tools; `first` is the index of its first argument.
  case tool(Tool, first: Int)
  /// Run Lua.
  case run(Run)

  /// The tools, each called by `--` and its name.
  enum Tool: Equatable, CaseIterable {
    case connect, wait, probe, explain, simulate

    var option: StaticString {
      switch self {
      case .connect: "--connect"
      case .wait: "--wait"
      case .probe: "--probe"
      case .explain: "--explain"
      case .simulate: "--simulate"
      }
    }
  }

  struct Run: Equatable {
    /// `-v`, `--version`: print the versions first.
    var showsVersion = false
    /// `-i`: the interactive mode after the program.
    var isInteractive = false
    /// `-E`: without LUA_INIT, LUA_PATH and LUA_CPATH.
    var ignoresEnvironment = false
    /// `--trace`: write every event of every connect to standard error.
    var traces = false
    /// `--allow`, `--deny`: where the script may connect to.
    var policy = EgressPolicy.unrestricted
    /// What runs before the program, in this order.
    var steps: [Step] = []
    var program = Program.none
  }

  enum Step: Equatable {
    /// `-e`: run the text.
    case statement(Place)
    /// `-l`: require a module into a global.
    case library(Place)
    /// `-W`: turn warnings on.
    case warnings
  }

  /// Where text begins: in which argument, and after how many of its bytes.
  struct Place: Equatable {
    var argument: Int
    var offset: Int
  }

  enum Program: Equatable {
    /// The steps, the version, or the interactive mode were all that was wanted.
    case none
    /// The script that this argument names.
    case file(argument: Int)
    /// The standard input as a script; the argument is the dash.
    case standardInput(argument: Int)
    /// No program was given: the interactive mode on a terminal, otherwise the standard input.
    case unsaid
  }

  /// The command line cannot be understood. Nothing has been run.
  struct Misuse: Error, Equatable {
    var message: [UInt8]

    /// `before 'argument' after`.
    init(_ before: StaticString, quoting argument: [UInt8], _ after: StaticString) {
      var text = TextBuffer()
      text.append(before)
      text.append("'")
      text.append(argument)
      text.append("'")
      text.append(after)
      message = text.bytes
    }

    init(_ text: StaticString) { message = [UInt8](text) }
  }

  static let usage: StaticString = """
    usage: connectbylist [options] [script [args]]
    Available options are:
      -e stat        execute string 'stat'
      -i             enter interactive mode after executing 'script'
      -l mod         require library 'mod' into global 'mod'
      -l g=mod       require library 'mod' into global 'g'
      -v, --version  show version information
      -E             ignore environment variables
      -W             turn warnings on
      --trace        write every event of every connect to stderr
      --allow dest   let scripts connect to 'dest' (10.0.0.0/8:443, loopback, ...)
      --deny dest    do not; the first of these options that matches decides
      --help         show this help
      --             stop handling options
      -              stop handling options and execute stdin
    Without a script or an option that runs something, stdin is executed; a terminal
    gets the interactive mode.

    Tools; each has its own --help:
      --connect LIST      connect to one of the list, then relay stdin and stdout
      --wait LIST         wait until an entry of each list is up, then run a command
      --probe FILE|LIST   connect to each entry and print a table
      --explain FILE|LIST print the order in which pairs would be tried
      --simulate FILE     run the race that a file describes, on a virtual clock

    """

  /// Reads a command line, the program's own name included.
  init(_ arguments: [[UInt8]]) throws(Misuse) {
    var run = Run()
    var index = 1
    options: while index < arguments.count {
      let argument = arguments[index]
      // The byte of the option; 0 where a longer argument begins with it.
      let letter = argument.count == 2 ? argument[1] : 0
      if argument.first != UInt8(ascii: "-") {
        run.program = .file(argument: index)
        break options
      } else if argument.count == 1 {
        run.program = .standardInput(argument: index)
        break options
      } else if argument.equals("--") {
        // Here even `-` is a file's name, as it is to Lua's program.
        if index + 1 < arguments.count { run.program = .file(argument: index + 1) }
        break options
      } else if argument.equals("--help") {
        self = .help
        return
      } else if argument.equals("-v") || argument.equals("--version") {
        run.showsVersion = true
      } else if argument.equals("--trace") {
        run.traces = true
      } else if let action = EgressPolicy.Action(option: argument) {
        guard index + 1 < arguments.count else {
          throw Misuse("", quoting: argument, " needs a value")
        }
        index += 1
        try run.policy.take(action, arguments[index], of: argument)
      } else if letter == UInt8(ascii: "i") {
        run.isInteractive = true
        run.showsVersion = true
      } else if letter == UInt8(ascii: "E") {
        run.ignoresEnvironment = true
      } else if letter == UInt8(ascii: "W") {
        run.steps.append(.warnings)
      } else if argument[1] == UInt8(ascii: "e") {
        run.steps.append(.statement(try Self.text(in: arguments, at: &index)))
      } else if argument[1] == UInt8(ascii: "l") {
        run.steps.append(.library(try Self.text(in: arguments, at: &index)))
      } else if let tool = Tool.allCases.first(where: { argument.equals($0.option) }) {
        guard index == 1 else {
          throw Misuse("", quoting: argument, " has to be the first argument")
        }
        self = .tool(tool, first: index + 1)
        return
      } else {
        throw Misuse("unrecognized option ", quoting: argument, "")
      }
      index += 1
    }
    if run.program == .none, !run.showsVersion, !run.runsSomething { run.program = .unsaid }
    self = .run(run)
  }

  /// The text of `-e` or `-l`: the rest of the argument, or the next one. One that begins with a dash is
  /// refused, as Lua's program does: more likely it is the next option, and the text was forgotten.
  private static func text(in arguments: [[UInt8]], at index: inout Int) throws(Misuse) -> Place {
    let option = arguments[index]
    if option.count > 2 { return Place(argument: index, offset: 2) }
    guard index + 1 < arguments.count, arguments[index + 1].first != UInt8(ascii: "-") else {
      throw Misuse("", quoting: option, " needs argument")
    }
    index += 1
    return Place(argument: index, offset: 0)
  }
}

extension CommandLineRequest.Run {
  /// Whether a step runs a statement. As in Lua's program `-l` alone leaves the standard input to run.
  fileprivate var runsSomething: Bool {
    for case .statement in steps { return true }
    return false
  }
}
