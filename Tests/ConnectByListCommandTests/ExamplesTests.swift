import Foundation
import Testing

/// Runs each example, and `--simulate` and `--explain` with files that fail.
struct ExamplesTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("examples")

  private func path(_ name: String) -> String { Self.folder.appendingPathComponent(name).path }

  @Test func `the quickstart wins a race, prints the winner, and exchanges a line`() throws {
    let outcome = try Interpreter.host().run([path("quickstart.lua")])
    #expect(outcome.status == 0, "\(outcome.errors)")
    for part in [
      "Connected from 127.0.0.1:", " to 127.0.0.1:", "It said: hello, whoever you are\n",
      "Pair #5 won after", "#2 127.0.0.1:", "refused", "lost the race", "connected after",
    ] {
      #expect(outcome.output.contains(part), "\(part) is missing in:\n\(outcome.output)")
    }
  }

  /// The lines that an example prints, according to its head: those that are indented after "It prints".
  private static func outputInHead(_ name: String) throws -> [String] {
    let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    let head = text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.replacing(" */", with: "") }
    let start = try #require(head.firstIndex { $0.contains("It prints") }, "\(name)")
    let lines = head[(start + 2)...].prefix { ["//   ", "--   ", " *   "].contains($0.prefix(5)) }
    try #require(!lines.isEmpty, "\(name)")
    return lines.map { String($0.dropFirst(5)) }
  }

  /// The lines without what differs from run to run: ports and times.
  private static func plain(_ lines: [String]) -> [String] {
    lines.map {
      $0.replacing(#/:\d{4,5}\b/#, with: ":PORT").replacing(#/\d+\.\d+ s/#, with: "TIME s")
        .replacing("\t", with: "  ").replacing(#/ +/#, with: " ")
    }
  }

  @Test(arguments: [
    ("ConnectByListExampleC", "connect.c"), ("ConnectByListExampleSwift", "connect.swift"),
    ("ConnectByListExampleEmbedC", "embed.c"), ("ConnectByListExampleEmbedSwift", "embed.swift"),
  ])
  func `W28 an example in C or Swift prints what its head says`(
    _ program: String, _ source: String
  ) throws {
    let outcome = try Interpreter.built(program).run([])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    if source == "connect.c" && lines.first == "No IPv6 here: IPv4 only" {
      // Two endpoints and not four.
      #expect(lines.count == 6 && lines.last == "received  hello")
    } else {
      #expect(try Self.plain(lines) == Self.plain(Self.outputInHead(source)))
    }
  }

  @Test(
    .enabled(if: Interpreter.find("busted") != nil, "apt-get install lua-busted"),
    arguments: ["redis_spec.lua", "simulation_spec.lua"])
  func `a suite prints what its head says`(_ name: String) throws {
    let busted = Interpreter(path: try #require(Interpreter.find("busted")))
    let outcome = try busted.run(
      ["--lua=\(Interpreter.host().path)", "--output=utfTerminal", "examples/\(name)"],
      environment: ["PATH": "/usr/bin:/bin"], in: Self.folder.deletingLastPathComponent())
    #expect(outcome.status == 0, "\(outcome)")
    let lines = outcome.output.replacing(#/\u{1b}\[\d+m/#, with: "").split(separator: "\n")
      .map(String.init)
    #expect(try Self.plain(lines) == Self.plain(Self.outputInHead(name)))
  }

  @Test func `the example of a race is the one in README`() throws {
    let outcome = try Interpreter.host().run(["--simulate", path("race.txt")])
    #expect(outcome.status == 0)
    let readme = try String(
      contentsOf: Self.folder.deletingLastPathComponent().appendingPathComponent("README.md"),
      encoding: .utf8)
    #expect(readme.contains("$ connectbylist --simulate examples/race.txt\n" + outcome.output))
  }

  @Test func `the example of an order is printed with its reasons`() throws {
    let outcome = try Interpreter.host().run(["--explain", path("order.txt")])
    #expect(outcome.status == 0)
    #expect(
      outcome.output == """
        1 fe80::5%eth0 [fe80::9%eth0]:80 0.784 route's source; delay 150 ms: default
        2 fe80::6%wlan0 [fe80::9%wlan0]:80 0.784 route's source; rule 10: the order is as given; \
        delay 150 ms: default
        3 2001:db8::5 [2001:db8::9]:80 0.784 route's source; rule 8: the smaller scope goes first; \
        delay 150 ms: default
        4 192.0.2.5 192.0.2.9:80 0.784 route's source; rule 6: the higher precedence goes first; \
        delay 150 ms: default
        5 fd00::5 [fd00::9]:80 0.784 route's source; rule 6: the higher precedence goes first; \
        delay 150 ms: default
        6 2001:db8:1::5 [2002:c000:201::9]:80 0.784 route's source; \
        rule 5: a source of the destination's label goes first; delay 150 ms: default
        7 2001:db8:a::5 [2001:db8:a::9]:80 0.784 route's source; \
        rule 3: a deprecated source goes last; delay 150 ms: default
        8 - 198.51.100.9:80 0.000 route's choice; no route: ENETUNREACH; \
        rule 1: a destination without a route goes last

        """)
  }

  @Test func `a lost race and a cancelled one exit with 1`() throws {
    let folder = try ScratchFolder()
    try folder.write("remote 127.0.0.1:1 refuses 1ms\nlocal 127.0.0.1/8\n", to: "lost")
    try folder.write(
      "local 10.0.0.5/24\nremote 10.0.0.9:1 silent\ncancel 20ms\n", to: "cancelled")
    let lost = try Interpreter.host().run(["--simulate", "lost"], in: folder.url)
    #expect(lost.status == 1)
    #expect(lost.output.hasSuffix("1.000 lost ECONNREFUSED\n"))
    let cancelled = try Interpreter.host().run(["--simulate", "cancelled"], in: folder.url)
    #expect(cancelled.status == 1)
    #expect(cancelled.output.hasSuffix("20.000 cancelled\n"))
  }

  @Test(arguments: ["--simulate", "--explain"])
  func `a bad file exits with 2 and names the line`(_ option: String) throws {
    let folder = try ScratchFolder()
    try folder.write("local 10.0.0.5/24\nremote 10.0.0.9:1 answers soon\n", to: "bad")
    let outcome = try Interpreter.host().run([option, "bad"], in: folder.url)
    #expect(outcome.status == 2)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("connectbylist: bad:2: "), "\(outcome.errors)")
    let missing = try Interpreter.host().run(["--simulate", "missing"], in: folder.url)
    #expect(missing.status == 2)
    #expect(missing.errors == "connectbylist: cannot open missing: no such file or directory\n")
    let none = try Interpreter.host().run([option])
    #expect(none.status == 2)
    #expect(none.errors.hasPrefix("connectbylist: '\(option)' needs a file"))
    let more = try Interpreter.host().run([option, "bad", "more"], in: folder.url)
    #expect(more.status == 2)
    #expect(more.errors == "connectbylist: 'more' has no meaning after 'bad'\n")
  }
}
