import ConnectByListSimulation
import CConnectByListLuaHost
import Glibc

do {
  switch try CommandLineRequest(CommandLine.arguments) {
  case .help:
    print(CommandLineRequest.usage)
  case .simulate(let file):
    exit(ScenarioRun(file: CommandLine.unsafeArgv[file]!).simulate())
  case .explain(let file):
    exit(ScenarioRun(file: CommandLine.unsafeArgv[file]!).explain())
  case .run(let request):
    exit(run(request))
  }
} catch {
  cbl_host_complain("\(error.message)\n\(CommandLineRequest.usage)")
  exit(EXIT_FAILURE)
}

/// Runs Lua as asked and returns the exit status. Lua's errors begin and end in C: none passes this
/// frame.
func run(_ request: CommandLineRequest.Run) -> CInt {
  let argv = CommandLine.unsafeArgv
  let statements = request.statements.map { place in
    argv[place.argument].map { UnsafePointer($0 + place.offset) }
  }
  return statements.withUnsafeBufferPointer { statements in
    var invocation = cbl_host_invocation()
    invocation.argc = CommandLine.argc
    invocation.argv = UnsafePointer(argv)
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
