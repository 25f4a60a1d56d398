import ConnectByList
import ConnectByListCore
import ConnectByListSimulation

/// `--simulate` and `--explain`: a race that a file describes, seen without a network; and the plan for a
/// list on this machine, without a packet.
///
/// Exit status: 0 won (or explained), 1 lost or cancelled, 2 an argument or a file that cannot be
/// understood.
enum ScenarioTool {
  static let simulateHelp: StaticString = """
    usage: connectbylist --simulate FILE
    Runs the race that FILE (- for stdin) describes on a virtual clock, and prints
    its transcript.
    Exit status: 0 won, 1 lost or cancelled, 2 a file that cannot be understood.

    Example:
      printf 'local 10.0.0.5/24\\nremote 10.0.0.9:80 answers 5ms\\n' |
        connectbylist --simulate -

    """

  static let explainHelp: StaticString = """
    usage: connectbylist --explain FILE
           connectbylist --explain LIST [options]
    Prints the order in which pairs would be tried, with each pair's chance and
    reasons: of the race that FILE (- for stdin) describes, or of a list on this
    machine. No packet is sent.

    Example:
      connectbylist --explain 192.0.2.1:443,[2001:db8::1]:443


    """

  static func simulate(_ arguments: [[UInt8]]) -> CInt {
    do throws(CommandLineRequest.Misuse) {
      var reader = ToolArguments(arguments)
      var file: [UInt8]?
      while let item = try reader.next() {
        switch item {
        case .option(let name) where name.isHelp: return Tool.help(simulateHelp)
        case .option(let name):
          throw CommandLineRequest.Misuse("unknown option ", quoting: name, "")
        case .word(let word):
          if let first = file { throw CommandLineRequest.Misuse(extra: word, after: first) }
          file = word
        case .end: throw CommandLineRequest.Misuse("'--' has no meaning here")
        }
      }
      guard let file else { throw CommandLineRequest.Misuse("'--simulate' needs a file") }
      guard let scenario = read(file) else { return ExitStatus.misuse }
      let transcript = Simulation(scenario).run()
      Output.standard.write(transcript.text)
      if case .won = transcript.result { return ExitStatus.success }
      return ExitStatus.failure
    } catch {
      return Tool.refuse(error)
    }
  }

  static func explain(_ arguments: [[UInt8]]) -> CInt {
    do throws(CommandLineRequest.Misuse) {
      var reader = ToolArguments(arguments)
      var request = ConnectRequest()
      var words: [[UInt8]] = []
      var hasOptions = false
      while let item = try reader.next() {
        switch item {
        case .option(let name) where name.isHelp:
          return Tool.help(explainHelp, CommandLineRequest.Misuse.connectOptionsHelp)
        case .option(let name):
          try request.take(name, from: &reader, beside: [])
          hasOptions = true
        case .word(let word): words.append(word)
        case .end: throw CommandLineRequest.Misuse("'--' has no meaning here")
        }
      }
      guard let first = words.first else {
        throw CommandLineRequest.Misuse("'--explain' needs a file or a list")
      }
      if InputFile.isFile(first) {
        if words.count > 1 { throw CommandLineRequest.Misuse(extra: words[1], after: first) }
        if hasOptions {
          throw CommandLineRequest.Misuse("options of a file's race stand in the file")
        }
        guard let scenario = read(first) else { return ExitStatus.misuse }
        Output.standard.write(Simulation.explain(scenario))
        return ExitStatus.success
      }
      if request.policy != .unrestricted {
        throw CommandLineRequest.Misuse("'--allow' and '--deny' have no meaning here")
      }
      var list = AddressList()
      for word in words { try ListArgument.add(word, to: &list) }
      return explain(list, request)
    } catch {
      return Tool.refuse(error)
    }
  }

  private static func explain(_ list: AddressList, _ request: ConnectRequest) -> CInt {
    do throws(ConnectError) {
      let race = try request.explain(list)
      var text = TextBuffer(capacity: 100 * list.count)
      for row in race.rows() {
        text.append(decimal: row.rank)
        text.append(" ")
        if let local = race.plan.local(of: row.pair) {
          text.append(local.address, scopes: SystemScopes())
        } else {
          text.append("-")
        }
        text.append(" ")
        text.append(remoteOf: row.pair, in: race.plan, scopes: SystemScopes())
        text.append(" ")
        text.append(chance: row.chance)
        var reasons = race.plan.reasons(for: row.pair)
        if let delay = race.plan.delayReason(for: row.pair) { reasons.append(delay) }
        for (index, reason) in reasons.enumerated() {
          text.append(index == 0 ? " " : "; ")
          text.append(reason)
        }
        text.append("\n")
      }
      for (name, _) in list.names {
        text.append("- - ")
        text.append(name)
        text.append(" - to be looked up\n")
      }
      Output.standard.write(text)
      return ExitStatus.success
    } catch {
      Output.report(error.message)
      return ExitStatus.failure
    }
  }

  private static func read(_ path: [UInt8]) -> Scenario? {
    guard let text = InputFile.read(path) else { return nil }
    do throws(ScenarioError) {
      return try Scenario(parsing: text)
    } catch {
      var message = TextBuffer()
      message.append(path)
      message.append(":")
      message.append(decimal: error.line)
      message.append(": ")
      message.append(error.message)
      Output.report(message)
      return nil
    }
  }
}

/// What every tool does.
enum Tool {
  static func help(_ texts: StaticString...) -> CInt {
    for text in texts { Output.standard.write(text) }
    return ExitStatus.success
  }

  static func refuse(_ misuse: CommandLineRequest.Misuse) -> CInt {
    Output.report(misuse.message)
    return ExitStatus.misuse
  }
}

extension CommandLineRequest.Misuse {
  init(extra word: [UInt8], after first: [UInt8]) {
    var text = TextBuffer()
    text.append("'")
    text.append(escaped: word)
    text.append("' has no meaning after '")
    text.append(escaped: first)
    text.append("'")
    self.init(text)
  }
}

extension [UInt8] {
  var isHelp: Bool { equals("help") || equals("h") }
}

extension TextBuffer {
  /// `name:port`, the host escaped.
  mutating func append(_ name: HostName) {
    if name.port == .records { append("srv:") }
    append(escaped: name.host, limit: 253)
    switch name.port {
    case .number(let port):
      append(":")
      append(decimal: Int(port))
    case .service(let service):
      append(":")
      append(escaped: service)
    case .records: break
    }
  }
}
