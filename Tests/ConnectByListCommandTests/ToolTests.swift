import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Foundation
import Testing

/// The program's own tools, as a shell calls them.
struct ToolTests {
  private func host(
    _ arguments: [String], input: String = "",
    environment: [String: String] = ["PATH": "/usr/bin:/bin"],
    in folder: URL = URL(fileURLWithPath: "/")
  ) throws -> Interpreter.Outcome {
    try Interpreter.host().run(arguments, input: input, environment: environment, in: folder)
  }

  // MARK: all of them

  @Test(arguments: ["--connect", "--wait", "--probe", "--explain", "--simulate"])
  func `a tool has help with an example`(_ tool: String) throws {
    let outcome = try host([tool, "--help"])
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("usage: connectbylist \(tool) "))
    #expect(outcome.output.contains("\nExample:\n  "))
    #expect(outcome.errors == "")
    for line in (outcome.output + (try host(["--help"]).output)).split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test(arguments: [
    (["--connect"], "'--connect' needs a list"),
    (["--connect", "127.0.0.1"], "'127.0.0.1': no port, and there is no default port"),
    (["--connect", "127.0.0.1:1,"], "'': the entry is empty"),
    (["--connect", "srv:192.0.2.1"], "'srv:192.0.2.1': an address has no SRV records"),
    (["--wait", "srv:"], "'srv:': "),
    (["--connect", "127.0.0.1:1", "--"], "'--' has no meaning here"),
    (
      ["--connect", "127.0.0.1:1", "--tiemout", "1"],
      "unknown option '--tiemout'; did you mean '--timeout'?"
    ),
    (
      ["--connect", "127.0.0.1:1", "--attempt_delay", "1"],
      "unknown option '--attempt_delay'; did you mean '--attempt-delay'?"
    ),
    (["--connect", "127.0.0.1:1", "--timeout"], "'--timeout' needs a value"),
    (
      ["--connect", "127.0.0.1:1", "--timeout", "soon"],
      "'--timeout' must be a number of seconds, 0 or more; got 'soon'"
    ),
    (
      ["--connect", "127.0.0.1:1", "--pace", "fast"],
      "'--pace' must be 'accelerating', 'steady', 'parallel' or 'sequential'; got 'fast'"
    ),
    (["--connect", "127.0.0.1:1", "--quiet=yes"], "'yes' is the value of an option without one"),
    (
      ["--connect", "127.0.0.1:1", "--local-address", "nowhere"],
      "'nowhere' is no IP address of this machine"
    ),
    (["--connect", "unix:"], "'unix:': "),
    (["--wait"], "'--wait' needs a list"),
    (["--wait", "127.0.0.1:1", "echo"], "'echo' has no meaning here; a command stands after '--'"),
    (["--wait", "127.0.0.1:1", "--"], "a command has to follow '--'"),
    (["--probe"], "'--probe' needs a file or a list"),
    (["--probe", "127.0.0.1", "--ports", "22,x"], "'x' is not a port"),
    (["--probe", "127.0.0.1:1", "--at-once", "0"], "'0' is not a number of 1 to 512"),
    (["--explain", "127.0.0.1:1", "--", "x"], "'--' has no meaning here"),
    (["--simulate", "--fast", "x"], "unknown option 'fast'"),
  ])
  func `what cannot be understood is refused with 2, and says what`(
    _ arguments: [String], _ message: String
  ) throws {
    let outcome = try host(arguments)
    #expect(outcome.status == 2)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("connectbylist: \(message)"), "\(outcome.errors)")
  }

  // MARK: --explain

  @Test func `a list is explained as the file of the same race is`() throws {
    let outcome = try host(["--explain", "127.0.0.1:80,[::1]:80,db.example:https"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    try #require(lines.count == 3)
    #expect(
      lines[0].hasPrefix("1 ::1 [::1]:80 0.784 route's source")
        || lines[0].hasPrefix("1 127.0.0.1 "))
    #expect(lines[2] == "- - db.example:https - to be looked up")
    let service = try host(["--explain", "srv:_redis._tcp.example.net"])
    #expect(service.output == "- - srv:_redis._tcp.example.net - to be looked up\n")
    let given = try host(["--explain", "127.0.0.1:80", "127.0.0.2:80", "--order", "given"])
    #expect(
      given.output.hasPrefix(
        "1 127.0.0.1 127.0.0.1:80 0.784 route's source; the caller's order; delay 10 ms: loopback\n2 "
      ))
  }

  // MARK: --probe

  @Test func `each entry gets a line, in order, and a failure shows in the status`() throws {
    let echo = try TestEndpoint(.echo)
    let refused = try TestEndpoint(.refused)
    let folder = try ScratchFolder()
    let path = folder.url.appendingPathComponent("s").path
    let unix = try TestEndpoint(.echo, unixPath: Array(path.utf8))
    defer { unix.close() }
    let entries = [refused.endpoint.text, echo.endpoint.text, "unix:\(path)", "unix:/no/such"]
    let outcome = try host(["--probe"] + entries)
    #expect(outcome.status == 1)
    #expect(outcome.errors == "")
    let rows = outcome.output.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    try #require(rows.map(\.first) == entries)
    #expect(rows.map { $0[1] } == ["refused", "connected", "connected", "failed"])
    #expect(
      rows.map { $0.dropFirst(4).joined() } == ["ECONNREFUSED", echo.endpoint.text, "", "ENOENT"])
    let well = try host(["--probe", "\(entries[1]),\(entries[2])"])
    #expect(well.status == 0)
  }

  @Test func `entries come from a file or the standard input, ports from an option`() throws {
    let echo = try TestEndpoint(.echo)
    let silent = try TestEndpoint(.silent)
    let folder = try ScratchFolder()
    let text =
      "# hosts\n127.0.0.1   # here\n\n\(silent.endpoint.text), 127.0.0.1:\(echo.endpoint.port)\n"
    try folder.write(text, to: "hosts")
    let options = ["--ports", "\(echo.endpoint.port)", "--timeout", "0.3"]
    let outcome = try host(["--probe", "hosts"] + options, in: folder.url)
    #expect(outcome.status == 1)
    let words = outcome.output.split(separator: "\n").map {
      $0.split(separator: " ").prefix(2).joined(separator: " ")
    }
    let here = "\(echo.endpoint.text) connected"
    #expect(words == [here, "\(silent.endpoint.text) timed_out", here])
    let piped = try host(["--probe", "-"] + options, input: text)
    #expect(piped.output.split(separator: "\n").count == 3)
    let empty = try host(["--probe", "-"], input: "# nothing\n")
    #expect(empty.status == 2 && empty.errors == "connectbylist: there is no entry\n")
  }

  @Test func `silent entries are probed at once, not one after the other`() throws {
    let silent = try (0..<40).map { _ in try TestEndpoint(.silent) }
    let began = Date()
    let outcome = try host(["--probe"] + silent.map(\.endpoint.text) + ["--timeout", "0.5"])
    let elapsed = Date().timeIntervalSince(began)
    #expect(outcome.output.split(separator: "\n").count == 40)
    #expect((0.5..<1.5).contains(elapsed), "\(elapsed)")
    // Ten at a time: four rounds.
    let slow = Date()
    _ = try host(
      ["--probe"] + silent.map(\.endpoint.text) + ["--timeout", "0.3", "--at-once", "10"])
    #expect((1.2..<2.2).contains(Date().timeIntervalSince(slow)))
  }

  // MARK: --wait

  @Test func `the command runs when each group is up, with its arguments and its status`() throws {
    let first = try LateListener()
    let second = try LateListener()
    let refused = try TestEndpoint(.refused)
    let began = Date()
    first.listen(after: 0.3)
    second.listen(after: 0.6)
    let outcome = try host([
      "--wait", "\(refused.endpoint.text),\(second.endpoint.text)", "--wait", first.endpoint.text,
      "--timeout", "10", "--", "sh", "-c", "echo \"$1\"; exit 7", "sh", "--wait it's up",
    ])
    let elapsed = Date().timeIntervalSince(began)
    #expect(outcome == .init(status: 7, output: "--wait it's up\n", errors: ""))
    // The retries come after 0.1, 0.3, 0.7 s.
    #expect((0.6..<1.1).contains(elapsed), "\(elapsed)")
  }

  @Test func `what is not up in time is told for each group, with 1, and nothing runs`() throws {
    let up = try TestEndpoint(.echo)
    let refused = try TestEndpoint(.refused)
    let silent = try TestEndpoint(.silent)
    let began = Date()
    let outcome = try host([
      "--wait", up.endpoint.text, "--wait", refused.endpoint.text, "--wait", silent.endpoint.text,
      "--timeout", "0.5", "--", "echo", "ran",
    ])
    let elapsed = Date().timeIntervalSince(began)
    #expect(outcome.status == 1 && outcome.output == "")
    #expect((0.5..<0.9).contains(elapsed), "\(elapsed)")
    let lines = outcome.errors.split(separator: "\n")
    try #require(lines.count == 2, "\(outcome.errors)")
    #expect(lines[0].hasPrefix("connectbylist: \(refused.endpoint.text) is not up after 0.5"))
    #expect(lines[0].hasSuffix("connection refused"))
    #expect(lines[1].hasPrefix("connectbylist: \(silent.endpoint.text) is not up after 0.5"))
    #expect(lines[1].contains("timed out"))
  }

  @Test func `without a command the status tells, and verbose tells more`() throws {
    let up = try TestEndpoint(.echo)
    #expect(try host(["--wait", up.endpoint.text]) == .init(status: 0, output: "", errors: ""))
    let verbose = try host(["--wait", up.endpoint.text, "--verbose"])
    let lines = verbose.errors.split(separator: "\n")
    try #require(lines.count == 2, "\(verbose.errors)")
    #expect(lines[0] == "connectbylist: waiting for \(up.endpoint.text)")
    #expect(lines[1].hasPrefix("connectbylist: \(up.endpoint.text) is up after 0.0"))
    #expect(lines[1].hasSuffix(" s: \(up.endpoint.text)"))
  }

  @Test func `a command that cannot run is told as a shell tells it`() throws {
    let up = try TestEndpoint(.echo)
    let missing = try host(["--wait", up.endpoint.text, "--", "no-such-command"])
    #expect(missing.status == 127)
    #expect(
      missing.errors == "connectbylist: cannot run no-such-command: no such file or directory\n")
    let folder = try host(["--wait", up.endpoint.text, "--", "/"])
    #expect(folder.status == 126)
  }

  @Test func `the command gets no descriptor of ours`() throws {
    let up = try TestEndpoint(.echo)
    let refused = try TestEndpoint(.refused)
    let list = "\(refused.endpoint.text),\(up.endpoint.text),localhost:\(up.endpoint.port)"
    // The process of the tests may have descriptors that its children inherit.
    let closing = #"for f in /proc/self/fd/*; do n=${f##*/}; ((n > 2)) && eval "exec $n<&-"; done"#
    let outcome = try Interpreter(path: "/bin/bash").run(
      [
        "-c", closing + #"; exec "$0" "$@""#, Interpreter.host().path,
        "--wait", list, "--", "ls", "/proc/self/fd",
      ], environment: ["PATH": "/usr/bin:/bin"])
    // The last is the folder that ls reads.
    #expect(outcome.output == "0\n1\n2\n3\n")
  }

  @Test func `a timeout of 0 tries once`() throws {
    let folder = try ScratchFolder()
    let path = folder.url.appendingPathComponent("s").path
    // A Unix connect is over in the call that begins it.
    let unix = try TestEndpoint(.echo, unixPath: Array(path.utf8))
    defer { unix.close() }
    #expect(try host(["--wait", "unix:\(path)", "--timeout", "0"]).status == 0)
    let refused = try TestEndpoint(.refused)
    let outcome = try host(["--wait", refused.endpoint.text, "--timeout", "0"])
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasPrefix("connectbylist: \(refused.endpoint.text) is not up after 0.00"))
  }

  // MARK: --connect

  @Test func `it relays both ways and passes the end on`() throws {
    let echo = try TestEndpoint(.echo)
    let refused = try TestEndpoint(.refused)
    // More than the buffers of the kernel and of the relay together.
    let input = String(repeating: "0123456789abcde\n", count: 500_000)
    let outcome = try host(
      ["--connect", "\(refused.endpoint.text),\(echo.endpoint.text)", "--timeout", "10"],
      input: input)
    #expect(outcome.status == 0 && outcome.errors == "")
    #expect(outcome.output == input)
  }

  @Test func `the answer that follows the end of the input comes through`() throws {
    let answer = String(repeating: "answer\n", count: 100_000)
    let peer = try Collector(answer: Array(answer.utf8))
    let outcome = try host(["--connect", peer.endpoint.text], input: "question")
    #expect(peer.collected() == Array("question".utf8))
    #expect(outcome == .init(status: 0, output: answer, errors: ""))
  }

  @Test func `it connects to a Unix path`() throws {
    let folder = try ScratchFolder()
    let path = folder.url.appendingPathComponent("s").path
    let unix = try TestEndpoint(.echo, unixPath: Array(path.utf8))
    defer { unix.close() }
    #expect(
      try host(["--connect", "unix:\(path)"], input: "hello")
        == .init(status: 0, output: "hello", errors: ""))
  }

  @Test func `it works with closed standard streams`() throws {
    let peer = try Collector(answer: [])
    let outcome = try Interpreter(path: "/bin/sh").run([
      "-c", #"exec "$0" "$@" <&- >&-"#, Interpreter.host().path, "--connect", peer.endpoint.text,
    ])
    #expect(outcome == .init(status: 0, output: "", errors: ""))
    #expect(peer.collected() == [])
  }

  @Test func `a connection that is reset ends with 1, after what came before`() throws {
    let peer = try Resetter(sending: "before\n")
    let outcome = try host(["--connect", peer.endpoint.text], input: "question")
    #expect(outcome.status == 1)
    #expect(outcome.output == "before\n")
    #expect(outcome.errors == "connectbylist: the connection broke: connection reset\n")
  }

  @Test func `what does not connect is told in one line`() throws {
    let refused = try TestEndpoint(.refused)
    let outcome = try host(["--connect", refused.endpoint.text], input: "lost")
    #expect(outcome.status == 1 && outcome.output == "")
    #expect(outcome.errors.hasPrefix("connectbylist: connection refused after 0.0"))
    #expect(outcome.errors.contains(refused.endpoint.text))
    let silent = try TestEndpoint(.silent)
    let began = Date()
    let late = try host(["--connect", silent.endpoint.text, "--timeout=0.25"])
    #expect(late.status == 1 && late.errors.hasPrefix("connectbylist: timed out after 0.25"))
    #expect(Date().timeIntervalSince(began) < 0.8)
  }

  // MARK: reports and traces

  @Test func `a report goes to standard error, in the form that scripts get`() throws {
    let echo = try TestEndpoint(.echo)
    let refused = try TestEndpoint(.refused)
    let list = "\(refused.endpoint.text),\(echo.endpoint.text)"
    let text = try host(["--connect", list, "--report=text"], input: "x")
    #expect(text.status == 0 && text.output == "x")
    #expect(text.errors.hasPrefix("connected after 0.0"))
    #expect(text.errors.contains("\(refused.endpoint.text) "))
    let json = try host(["--connect", list, "--report", "json"], input: "x")
    let object = try JSONSerialization.jsonObject(with: Data(json.errors.utf8))
    let attempts = try #require((object as? [String: Any])?["attempts"] as? [[String: Any]])
    #expect(attempts.map { $0["outcome"] as? String } == ["refused", "connected"])
    let lost = try host(["--connect", refused.endpoint.text, "--report=json"])
    #expect(lost.status == 1)
    let lines = lost.errors.split(separator: "\n")
    try #require(lines.count == 2)
    #expect(lines[1].contains("\"code\":\"ECONNREFUSED\""))
    let picture = try host(["--connect", list, "--report=svg"], input: "x")
    #expect(picture.errors.hasPrefix("<svg xmlns=") && picture.errors.hasSuffix("</svg>\n\n"))
    let unknown = try host(["--connect", list, "--report=xml"])
    #expect(unknown.status == 2)
    #expect(
      unknown.errors
        == "connectbylist: 'xml' is no format of a report; expected text, json or svg\n")
  }

  /// The lines of a trace without their times, and without the source of a start: it is known where the kernel has
  /// been asked for routes, which is done after 10 ms without an answer.
  private func traced(_ errors: String) -> [String] {
    errors.split(separator: "\n").map { line in
      var words = line.split(separator: " ")
      if words.count > 2 { words.remove(at: 2) }
      if words.count > 3, words[2] == "start" { words[3] = "-" }
      return words.joined(separator: " ")
    }
  }

  @Test func `a trace has each event of each connect of a script`() throws {
    let echo = try TestEndpoint(.echo)
    let refused = try TestEndpoint(.refused)
    let (good, bad) = (echo.endpoint.text, refused.endpoint.text)
    let script = """
      local net = require "connectbylist"
      net.connect_by_list { "\(bad)", "\(good)" }
      net.connect_by_list "\(bad)"
      net.connect_by_list("localhost:\(refused.endpoint.port)", { family = "inet" })
      """
    let outcome = try host(["--trace", "-"], input: script)
    #expect(outcome.status == 0)
    #expect(
      traced(outcome.errors) == [
        "trace: 1 start - \(bad)", "trace: 1 refused 127.0.0.1 \(bad)",
        "trace: 1 start - \(good)", "trace: 1 connected 127.0.0.1 \(good)",
        "trace: 1 won 127.0.0.1 \(good)",
        "trace: 2 start - \(bad)", "trace: 2 refused 127.0.0.1 \(bad)",
        "trace: 2 lost ECONNREFUSED",
        "trace: 3 resolved localhost 1", "trace: 3 start - \(bad)",
        "trace: 3 refused 127.0.0.1 \(bad)", "trace: 3 lost ECONNREFUSED",
      ])
    #expect(try host(["-"], input: script) == .init(status: 0, output: "", errors: ""))
  }

  @Test func `a tool is traced too`() throws {
    let echo = try TestEndpoint(.echo)
    let outcome = try host(["--wait", echo.endpoint.text, "--trace"])
    #expect(
      traced(outcome.errors) == [
        "trace: 1 start - \(echo.endpoint.text)",
        "trace: 1 connected 127.0.0.1 \(echo.endpoint.text)",
        "trace: 1 won 127.0.0.1 \(echo.endpoint.text)",
      ])
  }

  // MARK: policies

  @Test func `a policy holds for scripts and for tools`() throws {
    let echo = try TestEndpoint(.echo)
    let entry = echo.endpoint.text
    let script = "print(select(3, require 'connectbylist'.connect_by_list('\(entry)')) or 'up')"
    #expect(try host(["--deny", "loopback", "-e", script]).output.hasPrefix("EACCES"))
    #expect(try host(["--allow", "loopback", "-e", script]).output == "up\n")
    for tool in ["--connect", "--wait", "--probe"] {
      let outcome = try host([tool, entry, "--deny", "127.0.0.1", "--timeout", "0.2"])
      #expect(outcome.status != 0, "\(tool): \(outcome)")
      #expect(
        (outcome.output + outcome.errors).lowercased().contains("permission denied")
          || (outcome.output + outcome.errors).contains("EACCES"), "\(tool): \(outcome)")
    }
    #expect(echo.acceptedCount == 1)
    let explain = try host(["--explain", entry, "--deny", "any"])
    #expect(explain.status == 2 && explain.errors.contains("have no meaning here"))
  }

  // MARK: terminals

  private static let utf8 = ["LC_ALL": "C.UTF-8"]

  @Test func `a terminal sees the race, then talks to the peer`() throws {
    let echo = try TestEndpoint(.echo)
    let silent = try TestEndpoint(.silent)
    let terminal = try Terminal(
      .host(),
      [
        "--connect", "\(silent.endpoint.text),\(echo.endpoint.text)", "--order", "given",
        "--attempt-delay", "0.3",
      ],
      environment: Self.utf8)
    try terminal.expect("… 0.0")
    try terminal.expect(" s 127.0.0.1 → \(silent.endpoint.text) connecting, ")
    try terminal.expect("● 0.3")
    try terminal.expect("\(echo.endpoint.text) connected, ")
    terminal.send("hello\n")
    // The terminal's own echo, then the peer's.
    try terminal.expect("hello\r\n")
    try terminal.expect("hello\r\n")
    terminal.send("\u{4}")
    #expect(try terminal.end() == 0)
  }

  @Test func `a terminal sees what is waited for`() throws {
    let late = try LateListener()
    late.listen(after: 0.5)
    let terminal = try Terminal(
      .host(), ["--wait", late.endpoint.text, "--", "echo", "running"], environment: Self.utf8)
    try terminal.expect("… \(late.endpoint.text) 0.")
    try terminal.expect("connection refused")
    try terminal.expect("\u{1b}[32m● \(late.endpoint.text) is up after 0.")
    try terminal.expect("running\r\n")
    #expect(try terminal.end() == 0)
  }

  @Test func `a terminal sees the progress of a probe, and the table once`() throws {
    let silent = try TestEndpoint(.silent)
    let echo = try TestEndpoint(.echo)
    let terminal = try Terminal(
      .host(), ["--probe", echo.endpoint.text, silent.endpoint.text, "--timeout", "0.5"],
      environment: Self.utf8)
    try terminal.expect("\(echo.endpoint.text)  connected")
    try terminal.expect("1 of 2 probed, 1 connected")
    try terminal.expect("timed_out")
    #expect(try terminal.end() == 1)
    #expect(terminal.output.components(separatedBy: "timed_out").count == 2)
  }

  @Test(arguments: [
    (["NO_COLOR": "1", "LC_ALL": "C.UTF-8"], "● ", false),
    (["NO_COLOR": "", "LC_ALL": "C.UTF-8"], "● ", true),
    (["LC_ALL": "C"], "* ", true), (["TERM": "dumb", "LC_ALL": "C"], "* ", false),
    (["LC_ALL": "de_DE.ISO-8859-1"], "* ", true), (["LANG": "C.utf8"], "● ", true),
  ])
  func `colours and characters are those that the terminal has`(
    _ environment: [String: String], _ mark: String, _ hasColor: Bool
  ) throws {
    let echo = try TestEndpoint(.echo)
    let terminal = try Terminal(.host(), ["--wait", echo.endpoint.text], environment: environment)
    try terminal.expect("\(mark)\(echo.endpoint.text) is up")
    #expect(try terminal.end() == 0)
    #expect(terminal.output.contains("\u{1b}[32m") == hasColor)
    #expect(mark != "* " || terminal.output.utf8.allSatisfy { $0 < 0x80 })
  }
}
