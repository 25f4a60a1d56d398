import ConnectByListCore
import Testing

/// /etc/gai.conf, as glibc reads it (gaiconf_init in sysdeps/posix/getaddrinfo.c).
@Suite struct GaiConfTests {
  private func table(_ text: String) -> PolicyTable? { GaiConf.policyTable(Array(text.utf8)) }

  private func precedence(_ table: PolicyTable?, _ address: String) -> Int {
    Int((table ?? .rfc6724).policy(of: ip(address)).precedence)
  }

  private func label(_ table: PolicyTable?, _ address: String) -> Int {
    Int((table ?? .rfc6724).policy(of: ip(address)).label)
  }

  @Test(arguments: [
    "", "\n\n", "# label ::1/128 0\n#precedence ::/0 40", "reload yes", "label", "precedence\n",
    "label ::1/129 0", "label 10.0.0.0/8 3", "label ::1/x 3", "label ::1/128 -1", "Label ::1/128 0",
    "label ::1/128 2147483648", "precedence fe80::1%1/64 3", "labels ::1/128 0",
    "scopev4 ::1/128 2", "scopev4 ::ffff:10.0.0.0/95 2", "scopev4 10.0.0.0/33 2",
    "scopev4 127.1/8 2", "label ::1/99999999999999999999 0", "label\0 ::1/128 0", "label ::1/+ 3",
    "label ::1/128 +", "label ::1/128 -",
  ])
  func `a file without a line that is understood changes nothing`(text: String) {
    #expect(table(text) == nil)
  }

  @Test func `the line that prefers IPv4 does so, and the rest of the column is gone`() {
    let found = table("precedence ::ffff:0:0/96  100\n")
    #expect(precedence(found, "192.0.2.1") > precedence(found, "2001:db8::1"))
    // Every other address has the default of 40.
    #expect(precedence(found, "::1") == precedence(found, "2001:db8::1"))
    #expect(precedence(found, "2002::1") == precedence(found, "2001:db8::1"))
    // Labels are as in the RFC.
    for address in ["::1", "2001:db8::1", "2002::1", "192.0.2.1", "::1.2.3.4", "fc00::1"] {
      #expect(label(found, address) == label(nil, address), "\(address)")
    }
  }

  @Test func `precedences keep the order of their numbers, and 40 is that of the rest`() {
    let found = table(
      """
      precedence ::1/128 2147483647
      precedence 2001:db8::/32 39 # a comment
      \tprecedence\t2001:db8:1::/48   41   more words
      precedence ::ffff:0:0/96 +0
      precedence fc00::/7
      """)
    let order = ["::1", "2001:db8:1::1", "2a00::1", "2001:db8::1", "10.0.0.1"]
    let precedences = order.map { precedence(found, $0) }
    #expect(precedences == precedences.sorted(by: >))
    #expect(Set(precedences).count == order.count)
    #expect(precedence(found, "fc00::1") == precedence(found, "10.0.0.1"), "no value is 0")
  }

  @Test func `a default that is given replaces 40, and a prefix without a length is one address`() {
    let found = table("precedence ::/0 10\nprecedence 2001:db8::1 20\n")
    #expect(precedence(found, "2001:db8::1") > precedence(found, "2001:db8::2"))
    #expect(precedence(found, "2001:db8::2") == precedence(found, "10.0.0.1"))
  }

  @Test func `of two lines with one prefix the first holds`() {
    let found = table("precedence ::ffff:0:0/96 100\nprecedence ::ffff:0:0/96 1\n")
    #expect(precedence(found, "10.0.0.1") > precedence(found, "2001:db8::1"))
  }

  @Test func `labels are compared for equality, by the longest prefix, host bits included`() {
    let found = table(
      "label 2001:db8::/32 7\nlabel 2001:db8:1::/48 300\nlabel fc00::9/7 7\nlabel ::/0 1\n")
    #expect(label(found, "2001:db8::1") == label(found, "fdff::1"))
    #expect(label(found, "2001:db8:1::1") != label(found, "2001:db8::1"))
    #expect(label(found, "10.0.0.1") == label(found, "2a00::1"))
    // Precedences are as in the RFC.
    for address in ["::1", "2001:db8::1", "2002::1", "192.0.2.1", "fc00::1"] {
      #expect(precedence(found, address) == precedence(nil, address), "\(address)")
    }
  }

  @Test func `scopes of IPv4 addresses are those of the file, those of IPv6 do not change`() {
    let found = table(
      """
      scopev4 ::ffff:169.254.0.0/112  2
      scopev4 10.0.0.0/8 5
      scopev4 10.1.2.3 300
      """)!
    #expect(found.scope(of: ip("169.254.1.1")) == 2)
    #expect(found.scope(of: ip("10.2.3.4")) == 5)
    #expect(found.scope(of: ip("::ffff:10.2.3.4")) == 5)
    #expect(found.scope(of: ip("10.1.2.3")) == 255)
    #expect(found.scope(of: ip("127.0.0.1")) == 14, "the file has no line of it")
    #expect(found.scope(of: ip("::1")) == 2)
    #expect(found.scope(of: ip("2001:db8::1")) == 14)
    #expect(PolicyTable.rfc6724.scope(of: ip("127.0.0.1")) == 2)
  }

  @Test func `the lines of one kind are bounded, and a table of any file ends with every address`()
  {
    var text = ""
    for index in 0..<1000 { text += "precedence 2001:\(String(index, radix: 16))::/32 \(index)\n" }
    let found = table(text)
    #expect(precedence(found, "2001:7f::1") != precedence(found, "2001:7e::1"))
    #expect(precedence(found, "2001:80::1") == precedence(found, "2a00::1"))
    #expect(found!.rows.last?.length == 0)
    let lengths = found!.rows.map { $0.length }
    #expect(lengths == lengths.sorted(by: >))
  }

  @Test func `the order of destinations follows the file`() {
    let candidates = ["2001:db8::1", "192.0.2.1", "::1"].map { OrderingCandidate(ip($0)) }
    func order(_ table: PolicyTable) -> [Int] {
      Ordering.sorted(candidates, table).map { $0.index }
    }
    #expect(order(.rfc6724) == [2, 0, 1])
    // The rest has one precedence, so the smaller scope is next.
    #expect(order(table("precedence ::ffff:0:0/96 100")!) == [1, 2, 0])
    // One precedence for both families: the caller's order, but for the bits in common of IPv6.
    #expect(order(table("precedence ::/0 40")!) == [2, 0, 1])
  }

  @Test func `any bytes give a table or none`() {
    var random = SplitMix64(seed: 11)
    let parts = [
      "label ", "precedence ", "scopev4 ", "::", "/", "0", "96", "10.0.0.1", "ffff:", "\n", "#",
      " ",
      "\0", "é", "-", "+", "18446744073709551616",
    ]
    for _ in 0..<5_000 {
      let text = (0..<random.below(40)).map { _ in parts[random.below(parts.count)] }.joined()
      guard let found = table(text) else { continue }
      #expect(found.rows.last?.length == 0)
      _ = found.policy(of: ip("10.0.0.1"))
      _ = found.scope(of: ip("10.0.0.1"))
    }
  }
}
