extension EntryError {
  /// What to write in place of a text that is meant as something other than one entry: several entries, a
  /// URL, or a Unix path. `nil`: it is none of these, and the error's own message says more.
  ///
  /// Only for texts that were rejected: an entry that can be parsed is taken as it is.
  public static func advice(on text: [UInt8]) -> StaticString? {
    if let advice = adviceOnURL(text) { return advice }
    if text.hasStart("/") || text.hasStart("./") || text.hasStart("unix:") || text.hasStart("@") {
      return "text does not mean a Unix path; the entry of one is a table: {unix = '/run/x.sock'}"
    }
    var colons = 0
    var hasComma = false
    var hasSeparator = false
    for byte in text {
      switch byte {
      case UInt8(ascii: ":"): colons += 1
      case UInt8(ascii: ","): hasComma = true
      case UInt8(ascii: ";"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"):
        hasSeparator = true
      default: break
      }
    }
    return hasComma || (hasSeparator && colons > 1)
      ? "a text is one entry; several are an array: {'a.example:1', 'b.example:2'}" : nil
  }
}

extension EntryError {
  /// The same for a URL alone. It holds in each language, and on a command line.
  public static func adviceOnURL(_ text: [UInt8]) -> StaticString? {
    text.containsSequence("://")
      ? "a URL is not an entry; an entry is a host and a port: 'example.net:80'" : nil
  }
}

extension [UInt8] {
  fileprivate func hasStart(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount && Array(prefix(text.utf8CodeUnitCount)).equals(text)
  }

  /// Linear, since `text` is short.
  fileprivate func containsSequence(_ text: StaticString) -> Bool {
    var start = 0
    while start + text.utf8CodeUnitCount <= count {
      if Array(self[start..<start + text.utf8CodeUnitCount]).equals(text) { return true }
      start += 1
    }
    return false
  }
}
