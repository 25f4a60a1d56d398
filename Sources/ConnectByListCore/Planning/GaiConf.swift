/// /etc/gai.conf: how the administrator orders addresses (gai.conf(5)). Parsed as glibc does it.
///
/// A line is a word and two values; what follows, and all from `#` on, is ignored, as are lines that are not
/// understood. `label PREFIX VALUE` and `precedence PREFIX VALUE` replace the label and the precedence
/// columns of the policy table, each as a whole; `scopev4 PREFIX VALUE` replaces the scopes of IPv4
/// addresses. A kind that no line names keeps the RFC's values. Of lines with one prefix the first holds. The
/// whole address space has the default of glibc where no line names it: label 1, precedence 40, scope 14.
///
/// `reload` is ignored: a process reads the file once.
public enum GaiConf {
  /// A larger file is not read. glibc has no limit.
  public static let sizeMax = 64 << 10
  /// Further lines of a kind are ignored, so that a look-up is bounded and a column fits one byte.
  static let linesMax = 128

  /// The policy table of a file with these bytes; `nil` where it has no line that changes it.
  public static func policyTable(_ bytes: [UInt8]) -> PolicyTable? {
    var labels = Column()
    var precedences = Column()
    var scopes = Column()
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      // C ends a text at a NUL.
      let words = line.prefix { $0 != UInt8(ascii: "#") && $0 != 0 }
        .split(maxSplits: 3) { isSpace($0) }
      guard words.count >= 2 else { continue }
      let value = words.count > 2 ? words[2] : []
      let kind = Array(words[0])
      if kind.equals("label") {
        labels.add(words[1], value)
      } else if kind.equals("precedence") {
        precedences.add(words[1], value)
      } else if kind.equals("scopev4") {
        scopes.addScope(words[1], value)
      }
    }
    if labels.lines.isEmpty && precedences.lines.isEmpty && scopes.lines.isEmpty { return nil }
    labels.sort(default: 1)
    precedences.sort(default: 40)
    scopes.sort(default: Int32(AddressScope.global.rawValue), shortest: 96)
    return PolicyTable(
      rows: rows(labels: labels, precedences: precedences),
      scopes: scopes.lines.map {
        PolicyTable.ScopeRow(
          prefix: $0.prefix, length: $0.length, scope: UInt8(clamping: $0.value))
      })
  }

  // MARK: lines

  fileprivate struct Line {
    let prefix: IPAddress
    /// In bits of the IPv6 form.
    let length: Int
    let value: Int32
  }

  /// The lines of one kind.
  fileprivate struct Column {
    var lines: [Line] = []

    mutating func add(_ prefix: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
      let (address, length) = parts(prefix)
      guard let address = AddressLiteral.ipv6(address.span),
        let length = number(length, default: 128), length <= 128
      else { return }
      append(address, length, value)
    }

    /// A prefix of `scopev4` is IPv4 or v4-mapped.
    mutating func addScope(_ prefix: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
      let (address, length) = parts(prefix)
      if let address = AddressLiteral.ipv6(address.span) {
        guard address.isMapped, let length = number(length, default: 128), 96...128 ~= length
        else { return }
        append(address, length, value)
      } else if let bits = AddressLiteral.dottedQuad(address.span) {
        guard let length = number(length, default: 32), length <= 32 else { return }
        append(IPAddress(v4: bits).mapped, length + 96, value)
      }
    }

    private mutating func append(_ prefix: IPAddress, _ length: Int, _ value: ArraySlice<UInt8>) {
      guard lines.count < GaiConf.linesMax, let value = number(value, default: 0),
        value <= Int(Int32.max)
      else { return }
      lines.append(Line(prefix: prefix, length: length, value: Int32(value)))
    }

    /// The longest prefix first, and at the end one that matches every address.
    mutating func sort(default value: Int32, shortest: Int = 0) {
      guard !lines.isEmpty else { return }
      if !lines.contains(where: { $0.length == shortest }) {
        let all = shortest == 0 ? IPAddress(high: 0, low: 0) : IPAddress.anyV4.mapped
        lines.append(Line(prefix: all, length: shortest, value: value))
      }
      lines = lines.stablySorted { $0.length > $1.length }
    }

    /// The value of each line as one byte that keeps their order.
    func ranks() -> [UInt8] {
      let values = lines.map { $0.value }.stablySorted(<)
      var distinct: [Int32] = []
      for value in values where distinct.last != value { distinct.append(value) }
      return lines.map { line in
        UInt8(truncatingIfNeeded: distinct.partitioningIndex { $0 >= line.value })
      }
    }

    /// The address and the length of a prefix, as texts; `nil`: it has no slash.
    private func parts(
      _ prefix: ArraySlice<UInt8>
    ) -> (address: ArraySlice<UInt8>, length: ArraySlice<UInt8>?) {
      guard let slash = prefix.firstIndex(of: UInt8(ascii: "/")) else { return (prefix, nil) }
      return (prefix[..<slash], prefix[(slash + 1)...])
    }

    /// As `strtoul` reads it to its end: an empty text is 0. `nil`: another byte, a sign alone, or above 2^31.
    private func number(_ text: ArraySlice<UInt8>?, default value: Int) -> Int? {
      guard let text else { return value }
      let isSigned = text.first == UInt8(ascii: "+") || text.first == UInt8(ascii: "-")
      let digits = isSigned ? text.dropFirst() : text
      if isSigned && digits.isEmpty { return nil }
      // Of negative numbers strtoul returns what is left of 2^64: too much, but for 0.
      if text.first == UInt8(ascii: "-") && digits.contains(where: { $0 != UInt8(ascii: "0") }) {
        return nil
      }
      var number = 0
      for byte in digits {
        guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
        number = number * 10 + Int(byte - UInt8(ascii: "0"))
        if number > 1 << 31 { return nil }
      }
      return number
    }
  }

  /// `isspace` in the C locale.
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte }

  // MARK: the table

  /// One row for every prefix of either column. Each prefix that matches an address contains all longer ones
  /// that do, so a row has the values of the longest prefix of each column that contains its own.
  private static func rows(labels: Column, precedences: Column) -> [PolicyTable.Row] {
    let known = PolicyTable.rfc6724.rows
    let labelRows = Self.columnRows(labels, known) { $0.label }
    let precedenceRows = Self.columnRows(precedences, known) { $0.precedence }
    let all = (labelRows + precedenceRows).stablySorted { $0.length > $1.length }
    return all.map { row in
      PolicyTable.Row(
        prefix: row.prefix, length: row.length,
        precedence: value(of: row.prefix, row.length, in: precedenceRows),
        label: value(of: row.prefix, row.length, in: labelRows))
    }
  }

  private typealias ColumnRow = (prefix: IPAddress, length: Int, value: UInt8)

  private static func columnRows(
    _ column: Column, _ known: [PolicyTable.Row], _ valueOf: (PolicyTable.Row) -> UInt8
  ) -> [ColumnRow] {
    if column.lines.isEmpty { return known.map { ($0.prefix, $0.length, valueOf($0)) } }
    let ranks = column.ranks()
    return column.lines.indices.map { index in
      (column.lines[index].prefix, column.lines[index].length, ranks[index])
    }
  }

  private static func value(of prefix: IPAddress, _ length: Int, in rows: [ColumnRow]) -> UInt8 {
    for row in rows
    where row.length <= length && prefix.commonPrefixLength(with: row.prefix) >= row.length {
      return row.value
    }
    preconditionFailure("the last row of a column matches every address")
  }
}
