/// A parsed command line.
///
/// The options are some of those of Lua's own program, parsed as that program does, and `--help`,
/// `--version`, `--simulate` and `--explain`. Text for Lua is given by its place in the command line, so
/// that Lua gets its bytes: a `String` of text that is not UTF-8 is a repaired copy.
enum CommandLineRequest: Equatable {
  /// Print ``usage``.
  case help
  /// Run the race that a file describes, on a virtual clock, and print its transcript.
  case simulate(file: Int)
  /// Print the plan of the race that a file describes.
  case explain(file: Int)
  /// Run Lua.
  case run(Run)

  struct Run: Equatable {
    /// `-v`: print the versions first.
    var showsVersion = false
    /// `-e`: statements to run before the program, in this order.
    var statements: [Place] = []
    var program = Program.none
  }

  /// The place of text in the command line: the index of the argument, and an offset in bytes.
  struct Place: Equatable {
    var argument: Int
    var offset: Int
  }

  enum Program: Equatable {
    /// Run the statements, or print the version, and nothing else.
    case none
    /// Run the script that this argument names.
    case file(argument: Int)
    /// Run the standard input; `argument` is the dash, if there is one.
    case standardInput(argument: Int?)
  }

  /// The command line is wrong. Nothing has run.
  struct Misuse: Error, Equatable {
    var message: String
  }

  static let usage = """
    usage: connectbylist [options] [script [args]]
    Available options are:
      -e stat        execute string 'stat'
      -v, --version  show version information
      -h, --help     show this help
      --simulate file  run the race that 'file' describes, on a virtual clock
      --explain file   print the plan of that race
      --             stop handling options
      -              stop handling options and execute stdin
    Without a script and an option '-e' or '-v', stdin is executed.
    """

  /// Parses a command line, whose first argument is the program's name.
  init(_ arguments: [String]) throws(Misuse) {
    var run = Run()
    var index = 1
    options: while index < arguments.count {
      let argument = arguments[index]
      switch argument {
      case _ where !argument.utf8.starts(with: "-".utf8):
        run.program = .file(argument: index)
        break options
      case "-":
        run.program = .standardInput(argument: index)
        break options
      case "--":
        // After `--` even `-` is the name of a file, as in Lua's program.
        if index + 1 < arguments.count { run.program = .file(argument: index + 1) }
        break options
      case "-h", "--help":
        self = .help
        return
      case "--simulate", "--explain":
        guard index + 1 < arguments.count else {
          throw Misuse(message: "'\(argument)' needs a file")
        }
        self = argument == "--explain" ? .explain(file: index + 1) : .simulate(file: index + 1)
        return
      case "-v", "--version":
        run.showsVersion = true
      case _ where argument.utf8.starts(with: "-e".utf8):
        if argument.utf8.count > 2 {
          run.statements.append(Place(argument: index, offset: 2))
        } else if index + 1 < arguments.count, !arguments[index + 1].utf8.starts(with: "-".utf8) {
          // As in Lua's program, a statement must not begin with a dash: more likely it is the next
          // option, and the statement is missing.
          index += 1
          run.statements.append(Place(argument: index, offset: 0))
        } else {
          throw Misuse(message: "'-e' needs argument")
        }
      default:
        throw Misuse(message: "unrecognized option '\(argument)'")
      }
      index += 1
    }
    if run.program == .none, run.statements.isEmpty, !run.showsVersion {
      run.program = .standardInput(argument: nil)
    }
    self = .run(run)
  }
}
