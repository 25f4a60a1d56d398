import CConnectByListLuaHost
import CConnectByListTerminal
import ConnectByListCore
import ConnectByListLua

/// The program `connectbylist`, called by `main` in C.
@c @implementation public func cbl_host_main(
  _ argc: CInt, _ argv: UnsafePointer<UnsafeMutablePointer<CChar>?>!
) -> CInt {
  let program = Program(argc: argc, argv: argv)
  let arguments = program.arguments
  do throws(CommandLineRequest.Misuse) {
    switch try CommandLineRequest(arguments) {
    case .help:
      Output.standard.write(CommandLineRequest.usage)
      return ExitStatus.success
    case .tool(let tool, let first):
      return program.run(tool, Array(arguments[first...]), first: first)
    case .run(let request):
      return program.run(request)
    }
  } catch {
    Output.report(error.message, name: arguments.first)
    Output.error.write(CommandLineRequest.usage)
    return ExitStatus.failure
  }
}

/// The command line of this process.
private struct Program {
  let argc: CInt
  let argv: UnsafePointer<UnsafeMutablePointer<CChar>?>

  var arguments: [[UInt8]] { (0..<Int(argc)).map { [UInt8](terminated: argv[$0]!) } }

  /// - Parameter first: the index of the tool's first argument in `argv`.
  func run(_ tool: CommandLineRequest.Tool, _ arguments: [[UInt8]], first: Int) -> CInt {
    cbl_terminal_open_standard_streams()
    switch tool {
    case .connect: return ConnectTool.run(arguments)
    case .wait: return WaitTool.run(arguments, argv: argv + first)
    case .probe: return ProbeTool.run(arguments)
    case .explain: return ScenarioTool.explain(arguments)
    case .simulate: return ScenarioTool.simulate(arguments)
    }
  }

  /// Runs Lua and returns the exit status. Lua's errors are raised and caught in C: none passes this
  /// frame.
  func run(_ request: CommandLineRequest.Run) -> CInt {
    if request.traces { Trace.begin() }
    let steps = request.steps.map { step in
      switch step {
      case .statement(let place): cbl_host_step(kind: CBL_HOST_STATEMENT, text: text(at: place))
      case .library(let place): cbl_host_step(kind: CBL_HOST_LIBRARY, text: text(at: place))
      case .warnings: cbl_host_step(kind: CBL_HOST_WARNINGS, text: nil)
      }
    }
    return steps.withUnsafeBufferPointer { steps in
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
        invocation.script = CInt(argument)
      case .unsaid:
        invocation.program = CBL_HOST_TERMINAL_OR_STANDARD_INPUT
      }
      invocation.steps = steps.baseAddress
      invocation.step_count = CInt(steps.count)
      invocation.shows_version = request.showsVersion
      invocation.is_interactive = request.isInteractive
      invocation.ignores_environment = request.ignoresEnvironment
      invocation.takes_interrupts = true
      if request.policy != .unrestricted {
        invocation.policy = PolicyBox(request.policy).retained()
      }
      return cbl_host_run(&invocation)
    }
  }

  private func text(at place: CommandLineRequest.Place) -> UnsafePointer<CChar>? {
    argv[place.argument].map { UnsafePointer($0 + place.offset) }
  }
}
