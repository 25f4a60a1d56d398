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
      "unknown statement 'frobnicate'; expected local, remote, world, pair, name, srv, "
        + "host, nat64, rtt, seen, neighbour, descriptors, option or cancel"
    ),
    ("remote", "expected an address with its port before the end of the line"),
    (
      "remote 192.0.2.1:80",
      "expected a verb, such as silent or answers 30ms, before the end of the line"
    ),
    ("remote 192.0.2.1:80 answers", "expected a duration before the end of the line"),
    (
      "remote 192.0.2.1:80 answers 30",
      "'30' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
    (
      "remote 192.0.2.1:80 answers soon",
      "'soon' is not a duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers 1.5h",
      "'1.5h' has an unknown unit: the units are s, ms, us and ns"
    ),
    ("remote 192.0.2.1:80 answers 0.5ns", "'0.5ns' is finer than a nanosecond"),
    (
      "remote 192.0.2.1:80 answers 1.s",
      "'1.s' is not a duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers -1s",
      "'-1s' is not a duration, such as 250ms, 1.5s or 20us"
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
      "unknown verb 'explodes'; expected answers, silent, refuses, unreachable, resets, "
        + "rejects, lost, noroute, fails, from or native"
    ),
    (
      "remote 192.0.2.1:80 silent silent",
      "'silent' is not expected here"
    ),
    (
      "remote 192.0.2.1:80 answers 30ms 40ms",
      "'40ms' is not expected here"
    ),
    (
      "remote 192.0.2.1:80 lost 0 answers 30ms",
      "'0' is not a number of SYNs, 1 to 1000"
    ),
    ("remote 192.0.2.1:80 lost 1 30ms", "expected 'answers', not '30ms'"),
    ("remote 192.0.2.1:80 fails EWHAT", "'EWHAT' is not the name of an error"),
    (
      "remote 192.0.2.1 silent",
      "'192.0.2.1': no port, and there is no default port"
    ),
    ("remote 192.0.2.1:0 silent", "'192.0.2.1:0': port is 0"),
    (
      "remote 192.0.2.1:70000 silent",
      "'192.0.2.1:70000': port is above 65535"
    ),
    (
      "remote 192.0.2.256:80 silent",
      "'192.0.2.256:80': a host that ends in a number must be an IPv4 address of "
        + "four decimal parts"
    ),
    ("remote db.test:80 silent", "'db.test:80' is a name; an address is expected"),
    (
      "remote 0.0.0.0:80 silent",
      "'0.0.0.0:80': the unspecified address cannot be connected to"
    ),
    (
      "remote [ff02::1]:80 silent",
      "'[ff02::1]:80': a multicast address cannot be connected to"
    ),
    (
      "remote 192.0.2.1:80 from 2001:db8::5 silent",
      "'192.0.2.1:80' is of another family than the address after 'from'"
    ),
    ("remote 192.0.2.1:80 from nowhere silent", "'nowhere' is not an address"),
    ("local 10.0.0.5/33", "'10.0.0.5/33' has a prefix that is not 0 to 32"),
    (
      "local 10.0.0.5/24 deprecatd",
      "unknown flag 'deprecatd'; did you mean 'deprecated'?"
    ),
    ("local 0.0.0.0/0", "'0.0.0.0/0' is not an address to connect from"),
    (
      "local 10.0.0.5/24 10.0.0.6/24",
      "unknown flag '10.0.0.6/24'; expected deprecated, temporary, home, tentative or broadcast"
    ),
    (
      "pair 10.0.0.5 [2001:db8::1]:80 silent",
      "'[2001:db8::1]:80' is of another family than the local address"
    ),
    (
      "pair 10.0.0.5 192.0.2.1:80",
      "expected a verb, such as silent or answers 30ms, before the end of the line"
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
      "expected an address or the name of an error before the end of the line"
    ),
    (
      "name db.test ipv4 after 5ms 192.0.2.1 ipv4 after 6ms 192.0.2.2 port 80",
      "the name has two answers of one family"
    ),
    (
      "name db.test ipv4 in 5ms 192.0.2.1 port 80",
      "expected 'after', not 'in'"
    ),
    (
      "name 192.0.2.1 ipv4 after 5ms 192.0.2.1 port 80",
      "'192.0.2.1' is an address; a name is expected"
    ),
    (
      "name 2130706433 ipv4 after 5ms 192.0.2.1 port 80",
      "'2130706433': a host that ends in a number must be an IPv4 address of four "
        + "decimal parts"
    ),
    (
      "name db.test ipv4 after 5ms 192.0.2.1 port 0",
      "'0' is not a port, 1 to 65535"
    ),
    ("rtt 10.0.0.5 192.0.2.1 30ms", "expected 'var' before the end of the line"),
    ("rtt 10.0.0.5 192.0.2.1 30ms dev 2ms", "expected 'var', not 'dev'"),
    (
      "history 192.0.2.1:80 connected",
      "'history' is written 'seen ADDRESS ENDPOINT connected|failed … ago' now"
    ),
    (
      "seen 10.0.0.5 192.0.2.1:80 worked",
      "unknown outcome 'worked'; expected connected, failed or refused"
    ),
    ("seen 10.0.0.5 192.0.2.1:80 failed 20s", "expected 'ago' before the end of the line"),
    (
      "seen 10.0.0.5 192.0.2.1:80 connected ago",
      "'ago' is not a duration, such as 250ms, 1.5s or 20us"
    ),
    ("seen 10.0.0.5 192.0.2.1:80 connected 2ms", "expected 'ago' before the end of the line"),
    (
      "seen 10.0.0.5 [2001:db8::1]:80 failed 20s ago",
      "'[2001:db8::1]:80' is of another family than the local address"
    ),
    (
      "descriptors many",
      "'many' is not a number of descriptors, 0 to 1000000"
    ),
    ("neighbour 192.0.2.1 answers", "expected 'failed', not 'answers'"),
    ("option", "expected the name of an option before the end of the line"),
    ("option timeout", "expected the option's value before the end of the line"),
    ("option timeuot 2s", "unknown option 'timeuot'; did you mean 'timeout'?"),
    (
      "option whatever 2s",
      "unknown option 'whatever'; expected timeout, attempt_delay, minimum_delay, "
        + "attempt_timeout, hedge, retry, pace, order, seed, interleave, in_flight, mptcp, family "
        + "or local_addresses"
    ),
    (
      "option timeout 2",
      "'2' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
    ("option timeout soon", "'soon' is not a duration, such as 250ms, 1.5s or 20us"),
    (
      "option attempt_delay 1ms",
      "option 'attempt_delay' must be a number of seconds, 0.01 to 60; got '1ms'"
    ),
    (
      "option in_flight 2s",
      "option 'in_flight' must be a whole number, 1 to 4096; got '2s'"
    ),
    (
      "option in_flight 5000",
      "option 'in_flight' must be a whole number, 1 to 4096; got '5000'"
    ),
    (
      "option pace brisk",
      "option 'pace' must be 'accelerating', 'steady', 'parallel' or 'sequential'; got 'brisk'"
    ),
    ("option mptcp 1", "option 'mptcp' must be a boolean; got '1'"),
    ("option interleave yes", "option 'interleave' must be a boolean; got 'yes'"),
    ("option interleave 1", "option 'interleave' must be a boolean; got '1'"),
    (
      "option family ipv6",
      "option 'family' must be 'any', 'inet', 'inet6' or 'unix'; got 'ipv6'"
    ),
    (
      "option local_addresses",
      "expected an address or false before the end of the line"
    ),
    (
      "option local_addresses nowhere",
      "'nowhere': no port, and there is no default port"
    ),
    ("option pace steady now", "'now' is not expected here"),
    ("cancel", "expected a duration before the end of the line"),
    (
      "cancel 5",
      "'5' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
  ])
  func `the error has the line's number, the word, and what is expected there`(
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
  func `a list without a usable remote is empty`(text: String) {
    #expect(
      transcript(text) == "line 2: the list is empty: every remote is of another family, "
        + "or link-local without a link")
  }

  @Test func `a race that is tried again for ever is refused`() {
    #expect(
      transcript("remote 192.0.2.1:80 silent\noption retry 1s")
        == "line 2: option 'retry' needs a timeout or a cancel: the race would not end")
  }

  @Test func `control bytes are escaped in the message`() {
    let bytes: [UInt8] = [0x1b, 0x5b, 0x00, 0x27]
    #expect(throws: ScenarioError.self) { try Scenario(parsing: bytes) }
    #expect(transcript("\u{1b}[\0'").hasPrefix(#"line 1: unknown statement '\x1b[\x00\''; "#))
  }
}
