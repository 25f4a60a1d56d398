/// What a command line asks for. Reading it is pure; main.swift does it.
///
/// The options are a part of those of Lua's own program, read as that one reads them, and `--help`
/// and `--version`. Text that goes on to Lua is told by its place in the command line: Lua gets the
/// bytes as they came, also where they are not UTF-8 and a `String` of them is a repaired copy.
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
    /// `-v`: print the versions before anything else.
    var showsVersion = false
    /// `-e`: what to run before the program, in this order.
    var statements: [Place] = []
    var program = Program.none
  }

  /// Where text begins: in which argument, and after how many of its bytes.
  struct Place: Equatable {
    var argument: Int
    var offset: Int
  }

  enum Program: Equatable {
    /// The statements, or the version, were all that was wanted.
    case none
    /// The script that this argument names.
    case file(argument: Int)
    /// What the standard input says; the argument is the dash that asked for it, if one did.
    case standardInput(argument: Int?)
  }

  /// The command line cannot be understood. Nothing has been run.
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

  /// Reads a command line, the program's own name included.
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
        // Here even `-` is a file's name, as it is to Lua's program.
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
          // A statement that begins with a dash is refused, as Lua's program does: more likely it
          // is the next option, and this one's text was forgotten.
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
