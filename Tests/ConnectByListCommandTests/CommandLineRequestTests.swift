import Testing

@testable import ConnectByListCommand

/// Parsing of command lines; ConnectByListCommandTests runs the program with the same options.
struct CommandLineRequestTests {
  typealias Request = CommandLineRequest
  typealias Run = CommandLineRequest.Run

  private func read(_ arguments: String...) throws(Request.Misuse) -> Request {
    try Request(["connectbylist"] + arguments)
  }

  @Test func `an empty command line runs the standard input`() throws {
    #expect(try read() == .run(Run(program: .standardInput(argument: nil))))
    #expect(try read("--") == .run(Run(program: .standardInput(argument: nil))))
    #expect(try Request([]) == .run(Run(program: .standardInput(argument: nil))))
  }

  @Test func `the first argument without a dash is the script, and the rest are its arguments`()
    throws
  {
    #expect(try read("a.lua", "-e", "-x", "--") == .run(Run(program: .file(argument: 1))))
    #expect(try read("") == .run(Run(program: .file(argument: 1))))
  }

  @Test func `a dash is the standard input, unless the options have ended`() throws {
    #expect(try read("-", "a") == .run(Run(program: .standardInput(argument: 1))))
    #expect(try read("--", "-") == .run(Run(program: .file(argument: 2))))
    #expect(try read("--", "-v") == .run(Run(program: .file(argument: 2))))
  }

  @Test func `statements keep their order, in the argument of -e or in the next`() throws {
    let statements = [Request.Place(argument: 1, offset: 2), .init(argument: 3, offset: 0)]
    #expect(try read("-ea=1", "-e", "b=2") == .run(Run(statements: statements)))
    #expect(
      try read("-ea=1", "-e", "b=2", "c.lua")
        == .run(Run(statements: statements, program: .file(argument: 4))))
    #expect(
      try read("-ea=1", "-e", "b=2", "-")
        == .run(Run(statements: statements, program: .standardInput(argument: 4))))
  }

  @Test func `a statement's offset is in bytes, not in Characters`() throws {
    // The letter and the combining accent are one Character, so `-e` is not a prefix of the String.
    #expect(try read("-e\u{301}") == .run(Run(statements: [.init(argument: 1, offset: 2)])))
    #expect(throws: Request.Misuse.self) { try read("-\u{301}") }
  }

  @Test(arguments: ["-v", "--version"])
  func `the version option runs a script if there is one, and nothing otherwise`(option: String)
    throws
  {
    #expect(try read(option) == .run(Run(showsVersion: true)))
    #expect(
      try read(option, "-") == .run(Run(showsVersion: true, program: .standardInput(argument: 2))))
    #expect(try read(option, "a.lua") == .run(Run(showsVersion: true, program: .file(argument: 2))))
  }

  @Test(arguments: ["-h", "--help"])
  func `help takes precedence over other options`(option: String) throws {
    #expect(try read(option) == .help)
    #expect(try read("-e", "a=1", option, "-?", "a.lua") == .help)
    #expect(try read("a.lua", option) == .run(Run(program: .file(argument: 1))))
  }

  @Test(arguments: ["-?", "-vv", "-hv", "--ver", "--e", "-i", "---"])
  func `an unknown option is named`(option: String) {
    #expect(throws: Request.Misuse(message: "unrecognized option '\(option)'")) {
      try read("-v", option, "a.lua")
    }
  }

  @Test func `a missing statement is an error`() {
    let misuse = Request.Misuse(message: "'-e' needs argument")
    #expect(throws: misuse) { try read("-e") }
    #expect(throws: misuse) { try read("-e", "-v") }
    #expect(throws: misuse) { try read("-e", "-- a comment") }
  }
}
