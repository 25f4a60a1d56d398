import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The scenario texts that the parser refuses, and its messages.
@Suite struct ScenarioErrorTests {
  @Test(arguments: [
    (
      "remot 192.0.2.1:80 silent",
      "unknown statement 'remot'; did you mean 'remote'?"
    ),
    (
      "frobnicate",
      "unknown statement 'frobnicate'; there are local, remote, world, pair, name, rtt, "
        + "history, neighbour, option and cancel"
    ),
    ("remote", "the line ends where an address with its port should stand"),
    (
      "remote 192.0.2.1:80",
      "the line ends where a verb, such as silent or answers 30ms, should stand"
    ),
    ("remote 192.0.2.1:80 answers", "the line ends where a duration should stand"),
    (
      "remote 192.0.2.1:80 answers 30",
      "'30' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
    (
      "remote 192.0.2.1:80 answers soon",
      "'soon' is no duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers 1.5h",
      "'1.5h' has an unknown unit: there are s, ms, us and ns"
    ),
    ("remote 192.0.2.1:80 answers 0.5ns", "'0.5ns' is finer than a nanosecond"),
    (
      "remote 192.0.2.1:80 answers 1.s",
      "'1.s' is no duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers -1s",
      "'-1s' is no duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers 100000001s",
      "'100000001s' is more than 100000000s"
    ),
    (
      "remote 192.0.2.1:80 anwsers 30ms",
      "unknown verb 'anwsers'; did you mean 'answers'?"
    ),
    (
      "remote 192.0.2.1:80 explodes",
      "unknown verb 'explodes'; there are answers, silent, refuses, unreachable, resets, "
        + "rejects, lost, noroute, fails, from and native"
    ),
    (
      "remote 192.0.2.1:80 silent silent",
      "'silent' is more than this line can have"
    ),
    (
      "remote 192.0.2.1:80 answers 30ms 40ms",
      "'40ms' is more than this line can have"
    ),
    (
      "remote 192.0.2.1:80 lost 0 answers 30ms",
      "'0' should be a number of SYNs, 1 to 1000"
    ),
    ("remote 192.0.2.1:80 lost 1 30ms", "'30ms' stands where 'answers' should"),
    ("remote 192.0.2.1:80 fails EWHAT", "'EWHAT' is no error's name"),
    (
      "remote 192.0.2.1 silent",
      "'192.0.2.1' will not do: no port, and there is no default port"
    ),
    ("remote 192.0.2.1:0 silent", "'192.0.2.1:0' will not do: port is 0"),
    (
      "remote 192.0.2.1:70000 silent",
      "'192.0.2.1:70000' will not do: port is above 65535"
    ),
    (
      "remote 192.0.2.256:80 silent",
      "'192.0.2.256:80' will not do: a host that ends in a number must be an IPv4 address of "
        + "four decimal parts"
    ),
    ("remote db.test:80 silent", "'db.test:80' is a name, and an address is wanted"),
    (
      "remote 0.0.0.0:80 silent",
      "'0.0.0.0:80' will not do: the unspecified address cannot be connected to"
    ),
    (
      "remote [ff02::1]:80 silent",
      "'[ff02::1]:80' will not do: a multicast address cannot be connected to"
    ),
    (
      "remote 192.0.2.1:80 from 2001:db8::5 silent",
      "'192.0.2.1:80' is of another family than the address after 'from'"
    ),
    ("remote 192.0.2.1:80 from nowhere silent", "'nowhere' is no address"),
    ("local 10.0.0.5/33", "'10.0.0.5/33' has a prefix that is not 0 to 32"),
    (
      "local 10.0.0.5/24 deprecatd",
      "unknown flag 'deprecatd'; did you mean 'deprecated'?"
    ),
    ("local 0.0.0.0/0", "'0.0.0.0/0' is no address to connect from"),
    (
      "local 10.0.0.5/24 10.0.0.6/24",
      "unknown flag '10.0.0.6/24'; there are deprecated, temporary, home and tentative"
    ),
    (
      "pair 10.0.0.5 [2001:db8::1]:80 silent",
      "'[2001:db8::1]:80' is of another family than the local address"
    ),
    (
      "pair 10.0.0.5 192.0.2.1:80",
      "the line ends where a verb, such as silent or answers 30ms, should stand"
    ),
    (
      "name db.test port 80",
      "the name has no answer: ipv6 after …, ipv4 after … or fails after …"
    ),
    ("name db.test ipv4 after 5ms 192.0.2.1", "the name has no port"),
    (
      "name db.test ipv6 after 5ms 192.0.2.1 port 80",
      "'192.0.2.1' is of the other family"
    ),
    (
      "name db.test ipv4 after 5ms port 80",
      "the line ends where an address or an error's name should stand"
    ),
    (
      "name db.test ipv4 after 5ms 192.0.2.1 ipv4 after 6ms 192.0.2.2 port 80",
      "the name has two answers of one family"
    ),
    (
      "name db.test ipv4 in 5ms 192.0.2.1 port 80",
      "'in' stands where 'after' should"
    ),
    (
      "name 192.0.2.1 ipv4 after 5ms 192.0.2.1 port 80",
      "'192.0.2.1' is an address, and a name is wanted"
    ),
    (
      "name 2130706433 ipv4 after 5ms 192.0.2.1 port 80",
      "'2130706433' will not do: a host that ends in a number must be an IPv4 address of four "
        + "decimal parts"
    ),
    (
      "name db.test ipv4 after 5ms 192.0.2.1 port 0",
      "'0' should be a port, 1 to 65535"
    ),
    ("rtt 10.0.0.5 192.0.2.1 30ms", "the line ends where 'var' should stand"),
    ("rtt 10.0.0.5 192.0.2.1 30ms dev 2ms", "'dev' stands where 'var' should"),
    (
      "history 192.0.2.1:80 worked",
      "unknown end 'worked'; there are connected and failed"
    ),
    ("history 192.0.2.1:80 failed 20s", "the line ends where 'ago' should stand"),
    ("neighbour 192.0.2.1 answers", "'answers' stands where 'failed' should"),
    ("option", "the line ends where an option's name should stand"),
    ("option timeout", "the line ends where the option's value should stand"),
    ("option timeuot 2s", "unknown option 'timeuot'; did you mean 'timeout'?"),
    (
      "option whatever 2s",
      "unknown option 'whatever'; there are timeout, attempt_delay, minimum_delay, "
        + "attempt_timeout, pace, order, seed, hedge, interleave, in_flight, family, "
        + "mptcp and local_addresses"
    ),
    (
      "option timeout 2",
      "'2' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
    ("option timeout soon", "'soon' is no duration, such as 250ms, 1.5s or 20us"),
    (
      "option attempt_delay 1ms",
      "'1ms' will not do: the option takes a number of seconds, 0.01 to 60"
    ),
    (
      "option in_flight 2s",
      "'2s' will not do: the option takes a whole number, 1 to 4096"
    ),
    (
      "option in_flight 5000",
      "'5000' will not do: the option takes a whole number, 1 to 4096"
    ),
    (
      "option pace brisk",
      "'brisk' will not do: the option takes 'accelerating', 'steady', 'parallel' or 'sequential'"
    ),
    ("option mptcp 1", "'1' will not do: the option takes a boolean"),
    ("option interleave yes", "'yes' will not do: the option takes a boolean"),
    ("option interleave 1", "'1' will not do: the option takes a boolean"),
    (
      "option family ipv6",
      "'ipv6' will not do: the option takes 'any', 'inet', 'inet6' or 'unix'"
    ),
    (
      "option local_addresses",
      "the line ends where an address or false should stand"
    ),
    (
      "option local_addresses nowhere",
      "'nowhere' will not do: no port, and there is no default port"
    ),
    ("option pace steady now", "'now' is more than this line can have"),
    ("cancel", "the line ends where a duration should stand"),
    (
      "cancel 5",
      "'5' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
  ])
  func `a bad line is refused with its number, the word, and what may stand there`(
    line: String, message: String
  ) {
    let text = "# first\n\n" + line + "\nremote 192.0.2.1:80 silent"
    #expect(transcript(text) == "line 3: \(message)")
  }

  @Test(arguments: [
    ("", 1), ("\n\n# nothing\n", 3), ("local 10.0.0.5/24\nworld 192.0.2.1 silent\n", 2),
  ])
  func `an empty list is refused at the last line`(text: String, line: Int) {
    #expect(
      transcript(text) == "line \(line): the list is empty: there is no remote and no name")
  }

  @Test(arguments: [
    "option family inet6\nremote 192.0.2.1:80 silent",
    "local 10.0.0.5/24\nremote [fe80::1]:80 silent",
  ])
  func `a list that comes to nothing is empty`(text: String) {
    #expect(
      transcript(text) == "line 2: the list is empty: no remote is of the family wanted, "
        + "or has a link to be reached by")
  }

  @Test func `bytes that are no text are escaped in the message`() {
    let bytes: [UInt8] = [0x1b, 0x5b, 0x00, 0x27]
    #expect(throws: ScenarioError.self) { try Scenario(parsing: bytes) }
    #expect(transcript("\u{1b}[\0'").hasPrefix(#"line 1: unknown statement '\x1b[\x00\''; "#))
  }
}
