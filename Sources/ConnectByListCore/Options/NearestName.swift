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

  /// The number of letters to insert, delete, replace or swap with their neighbour (optimal string
  /// alignment). A name from outside may have any length, and no known name is longer than 64 bytes: a
  /// longer one is not compared.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard a.count <= 64 else { return .max }
    // rows[i][j] is the distance of the first i letters of `a` from the first j of `b`.
    var rows = [Array(0...b.count)]
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var distance = min(
          rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          distance = min(distance, rows[i - 1][j - 1] + 1)
        }
        row.append(distance)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
