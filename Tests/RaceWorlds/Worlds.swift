import ConnectByListCore
import ConnectByListSimulation

/// One world made, raced in and judged.
public enum Worlds {
  static let onlyReference = true

  /// A race that was not as the contract has it, with what is needed to see it again.
  public struct Violation: Sendable {
    public let scenario: [UInt8]
    /// What the contract gives, by the reference race.
    public let expected: [UInt8]
    public let transcript: [UInt8]
  }

  /// What the contract gives for a scenario's text; `nil`: it is none.
  public static func expected(_ text: [UInt8]) -> String? {
    guard let scenario = try? Scenario(parsing: text) else { return nil }
    return String(decoding: ReferenceRace.transcript(of: scenario), as: UTF8.self)
  }

  /// What is wrong with the race in this seed's world; `nil`: nothing.
  public static func violation(seed: UInt64) -> Violation? {
    violation(WorldGenerator.world(seed: seed))
  }

  static func violation(_ scenario: Scenario) -> Violation? {
    let expected = ReferenceRace.transcript(of: scenario)
    let broken = RaceProperties.broken(by: expected, in: scenario)
    if !broken.isEmpty || onlyReference {
      if broken.isEmpty { return nil }
      return Violation(scenario: scenario.text, expected: expected, transcript: Array("\(broken)".utf8))
    }
    let transcript = Simulation(scenario).run().text
    if expected == transcript { return nil }
    return Violation(scenario: scenario.text, expected: expected, transcript: transcript)
  }

  /// A violation in the smallest world found by leaving out lines and words.
  public static func shrunk(_ violation: Violation) -> Violation {
    var smallest = violation
    var hasShrunk = true
    while hasShrunk {
      hasShrunk = false
      for text in smaller(smallest.scenario) {
        guard let scenario = try? Scenario(parsing: text), let found = self.violation(scenario)
        else { continue }
        smallest = found
        hasShrunk = true
        break
      }
    }
    return smallest
  }

  /// The text without one of its lines; then without one word of a line.
  private static func smaller(_ text: [UInt8]) -> [[UInt8]] {
    let newline = UInt8(ascii: "\n")
    let space = UInt8(ascii: " ")
    let lines = text.split(separator: newline).map(Array.init)
    var result: [[UInt8]] = []
    for left in lines.indices {
      var fewer = lines
      fewer.remove(at: left)
      result.append(Array(fewer.joined(separator: [newline])))
    }
    for place in lines.indices {
      let words = lines[place].split(separator: space).map(Array.init)
      for left in words.indices.dropFirst() {
        for count in 1...2 where left + count <= words.count {
          var fewer = words
          fewer.removeSubrange(left..<left + count)
          var changed = lines
          changed[place] = Array(fewer.joined(separator: [space]))
          result.append(Array(changed.joined(separator: [newline])))
        }
      }
    }
    return result
  }
}
