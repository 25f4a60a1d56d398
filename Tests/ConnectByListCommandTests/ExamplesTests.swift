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

  @Test func `W28 the example in Swift connects, cancels and prints what failed`() throws {
    let example = try Interpreter.built("ConnectByListExampleSwift")
    let outcome = try example.run([])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    try #require(lines.count == 5, "\(outcome.output)")
    #expect(lines[0].hasPrefix("local   127.0.0.1:") && lines[1].hasPrefix("remote  127.0.0.1:"))
    #expect(lines[2] == "echoed  hello")
    #expect(lines[3] == "cancelled")
    #expect(lines[4].hasPrefix("failed  ECONNREFUSED: connection refused after "))
  }

  @Test func `the hosts in C and in Swift end the script that they do not trust`() throws {
    let inC = try Interpreter.built("ConnectByListExampleEmbedC").run([])
    #expect(inC.status == 0, "\(inC.errors)")
    #expect(inC.output == "echoed\thello\ndenied\tEACCES\nended\tby its time limit\n")
    let inSwift = try Interpreter.built("ConnectByListExampleEmbedSwift").run([])
    #expect(inSwift.status == 0, "\(inSwift.errors)")
    #expect(
      inSwift.output == """
        echoed  Ada,Grace
        denied  169.254.169.254:80 EACCES
        denied  [::ffff:10.0.0.1]:80 EACCES
        denied  127.0.0.1:1 EACCES
        ended   time limit exceeded
        failed  script:1: attempt to index a nil value (local 't')

        """)
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
