import CConnectByListLuaHost
import ConnectByListSimulation

/// The program `connectbylist`, called by `main` in C.
@c @implementation public func cbl_host_main(
  _ argc: CInt, _ argv: UnsafePointer<UnsafeMutablePointer<CChar>?>!
) -> CInt {
  let program = Program(argc: argc, argv: argv)
  do throws(CommandLineRequest.Misuse) {
    switch try CommandLineRequest(program.arguments) {
    case .help:
      print(CommandLineRequest.usage)
      return 0
    case .simulate(let file):
      return ScenarioRun(file: argv[file]!).simulate()
    case .explain(let file):
      return ScenarioRun(file: argv[file]!).explain()
    case .run(let request):
      return program.run(request)
    }
  } catch {
    cbl_host_report_error("\(error.message)\n\(CommandLineRequest.usage)")
    return 1
  }
}

/// The command line of this process.
private struct Program {
  let argc: CInt
  let argv: UnsafePointer<UnsafeMutablePointer<CChar>?>

  /// The arguments as text; invalid UTF-8 is repaired. Lua gets the bytes of `argv`.
  var arguments: [String] { (0..<Int(argc)).map { String(cString: argv[$0]!) } }

  /// Runs Lua and returns the exit status. Lua's errors are raised and caught in C: none passes this
  /// frame.
  func run(_ request: CommandLineRequest.Run) -> CInt {
    let statements = request.statements.map { place in
      argv[place.argument].map { UnsafePointer($0 + place.offset) }
    }
    return statements.withUnsafeBufferPointer { statements in
      var invocation = cbl_host_invocation()
      invocation.argc = argc
      invocation.argv = argv
      switch request.program {
      case .none:
        invocation.program = CBL_HOST_NO_PROGRAM
      case .file(let argument):
        invocation.program = CBL_HOST_FILE
        invocation.script = CInt(argument)
      case .standardInput(let argument):
        invocation.program = CBL_HOST_STANDARD_INPUT
        invocation.script = CInt(argument ?? 0)
      }
      invocation.statements = statements.baseAddress
      invocation.statement_count = CInt(statements.count)
      invocation.shows_version = request.showsVersion
      invocation.takes_interrupts = true
      return cbl_host_run(&invocation)
    }
  }
}
