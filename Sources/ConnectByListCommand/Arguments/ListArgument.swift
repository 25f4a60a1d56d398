import ConnectByList
import ConnectByListCore

/// A list of entries as it stands on a command line: `a.example:80,[2001:db8::7]:80,unix:/run/x.sock`.
///
/// Entries are those of scripts, and beside them `unix:PATH` (`unix:@NAME` for an abstract one) and `srv:NAME`,
/// a name with SRV records. Only a command line has these: text from elsewhere never means a Unix path or a
/// service. A path with a comma cannot be written here.
enum ListArgument {
  static func parse(_ text: [UInt8]) throws(CommandLineRequest.Misuse) -> AddressList {
    var list = AddressList()
    try add(text, to: &list)
    return list
  }

  static func add(
    _ text: [UInt8], to list: inout AddressList
  ) throws(CommandLineRequest.Misuse) {
    for entry in split(text) { try addEntry(entry, to: &list) }
  }

  /// The entries of the text. Empty ones stay: they are errors.
  static func split(_ text: [UInt8]) -> [[UInt8]] {
    text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { Array($0) }
  }

  static func addEntry(
    _ text: [UInt8], to list: inout AddressList, defaultPort: UInt16? = nil
  ) throws(CommandLineRequest.Misuse) {
    guard !list.isFull else { throw CommandLineRequest.Misuse("more than 1,000,000 entries") }
    do throws(EntryError) {
      if text.hasPrefix("unix:") {
        try list.append(unixPath: Array(text[5...]))
      } else if text.hasPrefix("srv:") {
        list.append(
          Entry(
            try EndpointText.parseHost(
              Array(text[4...]), port: .records, scopes: SystemScopes())))
      } else {
        list.append(
          Entry(
            try EndpointText.parseEntry(text, defaultPort: defaultPort, scopes: SystemScopes())))
      }
    } catch {
      var message = TextBuffer()
      message.append("'")
      message.append(escaped: text)
      message.append("': ")
      message.append(EntryError.adviceOnURL(text) ?? error.message)
      throw CommandLineRequest.Misuse(message)
    }
  }
}

extension CommandLineRequest.Misuse {
  init(_ text: TextBuffer) { message = text.bytes }
}

extension [UInt8] {
  /// Whether the bytes begin with those of a literal.
  func hasPrefix(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount && Array(prefix(text.utf8CodeUnitCount)).equals(text)
  }

  /// The bytes before the terminating zero.
  init(terminated text: UnsafePointer<CChar>) {
    self = []
    var next = text
    while next.pointee != 0 {
      append(UInt8(bitPattern: next.pointee))
      next += 1
    }
  }
}
