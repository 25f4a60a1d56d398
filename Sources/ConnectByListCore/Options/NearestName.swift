/// Finds the known name that an unknown one is most likely a misspelling of, for an error message.
public enum NearestName {
  /// The name in `known` with the smallest edit distance to `name`; `nil` if more than a third of the
  /// letters would have to change.
  public static func nearest(to name: [UInt8], in known: [StaticString]) -> StaticString? {
    var nearest: StaticString?
    var limit = name.count / 3 + 2
    for candidate in known {
      let distance = editDistance(name, [UInt8](candidate))
      if distance < limit {
        limit = distance
        nearest = candidate
      }
    }
    return nearest
  }

  /// The Levenshtein distance. A name from outside may have any length, and no known name is longer than
  /// 64 bytes: a longer one is not compared.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard a.count <= 64 else { return .max }
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
