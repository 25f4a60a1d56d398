import CConnectByListLuaHost
import Foundation
import Testing

/// The interactive mode on a pseudo-terminal: the same lines are typed into Lua's own program, and both have
/// to show the same.
struct InteractiveTests {
  /// What is typed, each line once the prompt before it has come.
  struct Session: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var arguments: [String] = []
    var lines: [(prompt: String, text: String)]
    var script: String?
    /// Before the end of the input is typed; `nil` where the program ends by itself.
    var lastPrompt: String?

    init(
      _ story: String, arguments: [String] = [], script: String? = nil,
      _ lines: [(prompt: String, text: String)], lastPrompt: String? = "> "
    ) {
      self.lastPrompt = lastPrompt
      testDescription = story
      self.arguments = arguments
      self.script = script
      self.lines = lines
    }
  }

  static let sessions: [Session] = [
    .init("an expression is printed", [("> ", "1 + 1"), ("2\r\n> ", "nil, 'a', {} ~= nil")]),
    .init("an expression after an equals sign", [("> ", "= 6 * 7")]),
    .init("a statement prints nothing", [("> ", "x = 5"), ("> ", "x")]),
    .init("no results print nothing", [("> ", "print()"), ("> ", "(function() end)()")]),
    .init(
      "a chunk of several lines",
      [
        ("> ", "for i = 1, 2 do"), (">> ", "print(i * 10)"), (">> ", "end"),
        ("20\r\n> ", "'after'"),
      ]),
    .init(
      "a string of several lines", [("> ", "s = [["), (">> ", "two"), (">> ", "]]"), ("> ", "#s")]),
    .init("an expression is no beginning of a statement", [("> ", "1 +"), ("> ", "2")]),
    .init("a syntax error", [("> ", "x = = 1"), ("> ", "'still here'")]),
    .init("an error with its traceback", [("> ", "error('no')"), ("> ", "'still here'")]),
    .init(
      "an error object that knows its text",
      [("> ", "error(setmetatable({}, {__tostring = function() return 'mine' end}))"), ("> ", "1")]),
    .init("an error object without text", [("> ", "error({})"), ("> ", "1")]),
    .init("a print that fails", [("> ", "print = error"), ("> ", "'text'"), ("> ", "1")]),
    .init("a print that is gone", [("> ", "print = nil"), ("> ", "'text'")]),
    .init(
      "prompts of one's own",
      [("> ", "_PROMPT = 'first: ' _PROMPT2 = 'more: '"), ("first: ", "do"), ("more: ", "end")],
      lastPrompt: "first: "),
    .init("a prompt that is no string", [("> ", "_PROMPT = 12"), ("12", "'x'")], lastPrompt: "12"),
    .init(
      "a prompt that counts",
      [
        (
          "> ",
          "n = 0 _PROMPT = setmetatable({}, {__tostring = function() n = n + 1 return n .. ')' end})"
        ),
        ("1)", "n"), ("2)", "n"),
      ], lastPrompt: "3)"),
    .init("locals do not outlive their line", [("> ", "local a = 1"), ("> ", "a")]),
    .init("an empty line", [("> ", ""), ("> ", "1")]),
    .init("os.exit", [("> ", "os.exit(3)")], lastPrompt: nil),
    .init("arg in the interactive mode", [("> ", "#arg, arg[0] ~= nil, arg[1]")]),
    .init(
      "after a script", arguments: ["-i", "script.lua", "a"], script: "x = ...", [("> ", "x")]),
    .init("after a statement", arguments: ["-e", "x = 7", "-i"], [("> ", "x")]),
    .init("after a library", arguments: ["-l", "s=string", "-i"], [("> ", "s.rep('ab', 2)")]),
    .init(
      "a prompt from a statement", arguments: ["-i", "-e", "_PROMPT = 'mine> '"], [("mine> ", "1")]),
    .init("warnings", arguments: ["-W", "-i"], [("> ", "warn('seen')"), ("> ", "1")]),
  ]

  @Test(arguments: sessions)
  func `shows what lua shows`(_ session: Session) throws {
    let ours = try outcome(of: .host(), session)
    let theirs = try outcome(of: .stock(), session)
    #expect(ours == theirs)
  }

  private func outcome(of interpreter: Interpreter, _ session: Session) throws -> String {
    let folder = try ScratchFolder()
    if let script = session.script { try folder.write(script, to: "script.lua") }
    let terminal = try Terminal(
      interpreter, session.arguments, environment: try Self.environment(folder), in: folder.url)
    for line in session.lines {
      try terminal.expect(line.prompt)
      terminal.send(line.text + "\n")
      // Readline repeats what is typed.
      try terminal.expect("\n")
    }
    if let prompt = session.lastPrompt {
      try terminal.expect(prompt)
      terminal.send("\u{4}")
    }
    let status = try terminal.end()
    // Each program shows its version first.
    let shown = terminal.output.drop { $0 != "\r\n" }
    return "\(shown)\nstatus \(status)"
      .replacingOccurrences(of: interpreter.path, with: "PROGRAM")
  }

  /// Readline without what differs from terminal to terminal.
  private static func environment(_ folder: ScratchFolder) throws -> [String: String] {
    let file = try folder.write("set enable-bracketed-paste off\n", to: "inputrc")
    return ["INPUTRC": file.path, "TERM": "dumb"]
  }

  @Test func `a terminal without arguments gets the version and the interactive mode`() throws {
    let folder = try ScratchFolder()
    let terminal = try Terminal(.host(), [], environment: Self.environment(folder))
    try terminal.expect("connectbylist \(CBL_HOST_VERSION), Lua 5.4.")
    try terminal.expect("> ")
    terminal.send("require 'connectbylist'.version\n")
    try terminal.expect("\(CBL_HOST_VERSION)\r\n> ")
    terminal.send("\u{4}")
    #expect(try terminal.end() == 0)
  }

  @Test func `an interrupt ends the chunk and not the session`() throws {
    let folder = try ScratchFolder()
    let terminal = try Terminal(.host(), [], environment: Self.environment(folder))
    try terminal.expect("> ")
    terminal.send("print('begun') while true do end\n")
    try terminal.expect("begun\r\n")
    terminal.interrupt()
    try terminal.expect("interrupted!")
    try terminal.expect("> ")
    terminal.send("'still here'\n")
    try terminal.expect("still here\r\n> ")
    terminal.send("\u{4}")
    #expect(try terminal.end() == 0)
  }

  @Test func `lines can be edited, and come back from the history`() throws {
    let folder = try ScratchFolder()
    let terminal = try Terminal(.host(), [], environment: Self.environment(folder))
    try terminal.expect("> ")
    // Ctrl-A goes to the beginning of the line.
    terminal.send("+ 1\u{1}41 \n")
    try terminal.expect("42\r\n> ")
    // Ctrl-P is the line before.
    terminal.send("\u{10} + 1\n")
    try terminal.expect("43\r\n> ")
    terminal.send("\u{4}")
    #expect(try terminal.end() == 0)
  }
}
