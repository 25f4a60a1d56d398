import ConnectByListCore
import Testing

struct EscapedTextTests {
  private func escaped(_ bytes: [UInt8], limit: Int = 80) -> String {
    var text = TextBuffer()
    text.append(escaped: bytes, limit: limit)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  private func escaped(_ text: String, limit: Int = 80) -> String {
    escaped([UInt8](text.utf8), limit: limit)
  }

  @Test func `control bytes, quotes and backslashes are escaped`() {
    #expect(escaped("a\u{1b}[2J\u{0}\n\u{7f}") == #"a\x1b[2J\x00\x0a\x7f"#)
    #expect(escaped(#"a'b\c"#) == #"a\'b\\c"#)
  }

  @Test func `what a terminal acts on or does not show is escaped, at the edges of each range`() {
    for code: UInt32 in [
      0x80, 0x9f, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x202e, 0x2060, 0x206f, 0xfeff, 0xfff9,
      0xfffb, 0xfffe, 0xffff,
    ] {
      let text = String(Unicode.Scalar(code)!)
      #expect(escaped("x\(text)y") == "x\\u{\(String(code, radix: 16))}y")
    }
    #expect(escaped("\u{e0041}\u{e0000}\u{e007f}") == #"\u{e0041}\u{e0000}\u{e007f}"#)
  }

  @Test func `other characters stay as they are`() {
    for text in [
      "bücher", "日本語", "\u{a0}\u{7ff}\u{200c}\u{200d}\u{2027}\u{202f}\u{d7ff}\u{e000}\u{fffd}",
      "\u{10000}\u{1f600}\u{dffff}\u{e0080}\u{10ffff}",
    ] {
      #expect(escaped(text) == text)
    }
  }

  @Test func `each byte that is not UTF-8 is escaped, and no more`() {
    #expect(escaped([0xff, 0x61]) == #"\xffa"#)
    // Overlong forms, a surrogate, above U+10FFFF, a lone continuation, characters that are cut off.
    #expect(escaped([0xc0, 0x80]) == #"\xc0\x80"#)
    #expect(escaped([0xe0, 0x9f, 0xbf]) == #"\xe0\x9f\xbf"#)
    #expect(escaped([0xf0, 0x8f, 0xbf, 0xbf]) == #"\xf0\x8f\xbf\xbf"#)
    #expect(escaped([0xed, 0xa0, 0x80]) == #"\xed\xa0\x80"#)
    #expect(escaped([0xf4, 0x90, 0x80, 0x80]) == #"\xf4\x90\x80\x80"#)
    #expect(escaped([0x80]) == #"\x80"#)
    #expect(escaped([0xe2, 0x82]) == #"\xe2\x82"#)
    #expect(escaped([0xe2, 0x82, 0x41]) == #"\xe2\x82A"#)
    #expect(escaped([0xf0, 0x9f, 0x98]) == #"\xf0\x9f\x98"#)
  }

  @Test func `the result is UTF-8 without unsafe characters, whatever the bytes are`() {
    var random = SplitMix64(seed: 16)
    for _ in 0..<20_000 {
      let bytes = (0..<Int(random.next() % 12)).map { _ in
        UInt8(truncatingIfNeeded: random.next() % 3 == 0 ? random.next() : 0x80 | random.next())
      }
      var text = TextBuffer()
      text.append(escaped: bytes)
      let checked = String(validating: text.bytes, as: UTF8.self)
      let isSafe = checked?.unicodeScalars.allSatisfy {
        !(0..<0x20).contains($0.value) && !(0x7f...0x9f).contains($0.value)
          && !(0x2028...0x202e).contains($0.value)
      }
      #expect(isSafe == true, "\(bytes)")
    }
  }

  @Test func `a long text is cut between characters`() {
    #expect(escaped("aaaa", limit: 4) == "aaaa")
    #expect(escaped("aaaaa", limit: 4) == "aaaa…")
    #expect(escaped("aaaü", limit: 4) == "aaa…")
    #expect(escaped("aaü", limit: 4) == "aaü")
  }
}

struct EntryAdviceTests {
  private func advice(_ text: String) -> String? {
    EntryError.advice(on: [UInt8](text.utf8)).map { "\($0)" }
  }

  @Test func `a URL, a path and several entries are recognized`() {
    #expect(advice("http://h:80/")?.hasPrefix("a URL is not an entry") == true)
    for path in ["/run/x", "./x", "unix:/run/x", "@x"] {
      #expect(advice(path)?.hasPrefix("text does not mean a Unix path") == true)
    }
    for several in ["a:1,b:2", "a,b", "a:1 b:2", "a:1;b:2", "a:1\nb:2", "[::1]:1, [::1]:2"] {
      #expect(advice(several)?.hasPrefix("a text is one entry") == true)
    }
  }

  @Test func `other defects keep the message of the error`() {
    for text in ["", "a", "a b", "a b:80", "::1:x", "a:b:c", "h/x:80"] {
      #expect(advice(text) == nil)
    }
  }
}
