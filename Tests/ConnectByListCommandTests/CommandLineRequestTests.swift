import ConnectByListCore
import Testing

@testable import ConnectByListCommand

/// What a command line is read as; the other tests of the program run the same options for real.
struct CommandLineRequestTests {
  typealias Request = CommandLineRequest
  typealias Run = CommandLineRequest.Run

  private func read(_ arguments: String...) throws(Request.Misuse) -> Request {
    try Request((["connectbylist"] + arguments).map { Array($0.utf8) })
  }

  @Test func `nothing at all means the terminal or the standard input`() throws {
    #expect(try read() == .run(Run(program: .unsaid)))
    #expect(try read("--") == .run(Run(program: .unsaid)))
    #expect(
      try read("-E", "-W", "-l", "m")
        == .run(
          Run(
            ignoresEnvironment: true,
            steps: [.warnings, .library(.init(argument: 4, offset: 0))], program: .unsaid)))
    #expect(try Request([]) == .run(Run(program: .unsaid)))
  }

  @Test func `the first argument without a dash is the script, and the rest is the script's`()
    throws
  {
    #expect(try read("a.lua", "-e", "-x", "--") == .run(Run(program: .file(argument: 1))))
    #expect(try read("") == .run(Run(program: .file(argument: 1))))
  }

  @Test func `a dash is the standard input, unless the options have ended before`() throws {
    #expect(try read("-", "a") == .run(Run(program: .standardInput(argument: 1))))
    #expect(try read("--", "-") == .run(Run(program: .file(argument: 2))))
    #expect(try read("--", "-v") == .run(Run(program: .file(argument: 2))))
  }

  @Test func `steps are kept in order, joined to their option or not`() throws {
    let steps: [Request.Step] = [
      .statement(.init(argument: 1, offset: 2)), .library(.init(argument: 2, offset: 2)),
      .warnings, .statement(.init(argument: 5, offset: 0)), .library(.init(argument: 7, offset: 0)),
    ]
    #expect(
      try read("-ea=1", "-lm", "-W", "-e", "b=2", "-l", "g=m") == .run(Run(steps: steps)))
    #expect(
      try read("-ea=1", "-lm", "-W", "-e", "b=2", "-l", "g=m", "c.lua")
        == .run(Run(steps: steps, program: .file(argument: 8))))
  }

  @Test func `a statement's place is counted in bytes and is no matter of characters`() throws {
    // The letter and the combining accent are one Character, and `-e` is not a prefix of it.
    #expect(
      try read("-e\u{301}") == .run(Run(steps: [.statement(.init(argument: 1, offset: 2))])))
    #expect(throws: Request.Misuse.self) { try read("-\u{301}") }
  }

  @Test(arguments: ["-v", "--version"])
  func `the version alone runs no program, and before a script it runs that`(option: String) throws
  {
    #expect(try read(option) == .run(Run(showsVersion: true)))
    #expect(
      try read(option, "-") == .run(Run(showsVersion: true, program: .standardInput(argument: 2))))
    #expect(try read(option, "a.lua") == .run(Run(showsVersion: true, program: .file(argument: 2))))
  }

  @Test func `the interactive mode shows the version and reads no standard input as a script`()
    throws
  {
    #expect(try read("-i") == .run(Run(showsVersion: true, isInteractive: true)))
    #expect(
      try read("-i", "a.lua")
        == .run(Run(showsVersion: true, isInteractive: true, program: .file(argument: 2))))
  }

  @Test func `tracing goes with every program`() throws {
    #expect(try read("--trace") == .run(Run(traces: true, program: .unsaid)))
    #expect(
      try read("-W", "--trace", "a.lua", "--trace")
        == .run(Run(traces: true, steps: [.warnings], program: .file(argument: 3))))
  }

  @Test func `a policy is read in the order of its options`() throws {
    let policy = try EgressPolicy("allow 10.0.0.0/8:443; deny private names")
    #expect(
      try read("--allow", "10.0.0.0/8:443", "--deny", "private", "-W", "--deny", "names", "a.lua")
        == .run(Run(policy: policy, steps: [.warnings], program: .file(argument: 8))))
    for arguments in [
      ["--deny"], ["--allow", "10.0.0.1/8"], ["--deny", "example.net"], ["--deny", ""],
    ] {
      #expect(throws: Request.Misuse.self) {
        try Request((["connectbylist"] + arguments).map { Array($0.utf8) })
      }
    }
  }

  @Test func `help wins over what stands beside it`() throws {
    #expect(try read("--help") == .help)
    #expect(try read("-e", "a=1", "--help", "-?", "a.lua") == .help)
    #expect(try read("a.lua", "--help") == .run(Run(program: .file(argument: 1))))
  }

  @Test(arguments: Request.Tool.allCases)
  func `a tool is the first argument, and the rest is the tool's`(_ tool: Request.Tool) throws {
    #expect(try read("\(tool.option)", "-x", "--help") == .tool(tool, first: 2))
    #expect(
      throws: Request.Misuse("", quoting: [UInt8](tool.option), " has to be the first argument")
    ) { try read("-W", "\(tool.option)") }
  }

  @Test(arguments: ["-?", "-vv", "-hv", "--ver", "--e", "-iv", "-Ex", "-WW", "-h", "---"])
  func `an unknown option is named`(option: String) {
    #expect(throws: Request.Misuse("unrecognized option ", quoting: Array(option.utf8), "")) {
      try read("-v", option, "a.lua")
    }
  }

  @Test(arguments: ["-e", "-l"])
  func `a text that is missing is asked for`(_ option: String) {
    let misuse = Request.Misuse("", quoting: Array(option.utf8), " needs argument")
    #expect(throws: misuse) { try read(option) }
    #expect(throws: misuse) { try read(option, "-v") }
    #expect(throws: misuse) { try read(option, "-- a comment") }
  }
}
