import ConnectByListCore
import ConnectByListSimulation

/// Makes a random world, runs a race in it, and compares it with what the contract gives.
public enum Worlds {
  /// A race that is not as the contract has it, with what is needed to repeat it.
  public struct Counterexample: Sendable {
    /// What is wrong, in words.
    public let defect: String
    public let scenario: [UInt8]
    /// The transcript that the contract gives, by the reference race.
    public let expected: [UInt8]
    public let transcript: [UInt8]
  }

  /// The transcript that the contract gives a scenario's text; `nil` if it is none.
  public static func expected(_ text: [UInt8]) -> String? {
    guard let scenario = try? Scenario(parsing: text) else { return nil }
    return String(decoding: ReferenceRace.transcript(of: scenario), as: UTF8.self)
  }

  /// What is wrong with the race in this seed's world; `nil` if nothing is.
  public static func counterexample(seed: UInt64) -> Counterexample? {
    let scenario = WorldGenerator.world(seed: seed)
    if let counterexample = counterexample(scenario) { return counterexample }
    if let counterexample = counterexample(WorldGenerator.serviceWorld(seed: seed)) {
      return counterexample
    }
    // One race in 64 is repeated from the scenario's text.
    guard seed % 64 == 0 else { return nil }
    guard let again = try? Scenario(parsing: scenario.text) else {
      return Counterexample(
        defect: "the scenario's text is none", scenario: scenario.text, expected: [], transcript: []
      )
    }
    return counterexample(again)
  }

  static func counterexample(_ scenario: Scenario) -> Counterexample? {
    if scenario.translation != nil || scenario.names.contains(where: { $0.isService }) {
      return serviceCounterexample(scenario)
    }
    let expected = ReferenceRace.transcript(of: scenario)
    let transcript = Worlds.race(scenario)
    var defect: String?
    if let rule = RaceProperties.broken(by: transcript, in: scenario).first {
      defect = "the race breaks a promise: \(rule.rawValue)"
    } else if let rule = RaceProperties.broken(by: expected, in: scenario).first {
      defect = "the reference race breaks a promise: \(rule.rawValue)"
    } else if expected != transcript {
      defect = "the contract gives another transcript"
    }
    return defect.map {
      Counterexample(
        defect: $0, scenario: scenario.text, expected: expected, transcript: transcript)
    }
  }

  /// The reference race knows no services and no NAT64.
  private static func serviceCounterexample(_ scenario: Scenario) -> Counterexample? {
    let transcript = Worlds.race(scenario)
    var defect: String?
    if let rule = RaceProperties.broken(by: transcript, in: scenario).first {
      defect = "the race breaks a promise: \(rule.rawValue)"
    } else if let rule = ServiceProperties.broken(by: transcript, in: scenario) {
      defect = "the race breaks a promise: \(rule.rawValue)"
    }
    guard let defect else { return nil }
    return Counterexample(
      defect: defect, scenario: scenario.text, expected: [], transcript: transcript)
  }

  public static func race(_ scenario: Scenario) -> [UInt8] { Simulation(scenario).run().text }

  /// The same defect in the smallest world found by leaving out lines and words.
  public static func shrunk(_ counterexample: Counterexample) -> Counterexample {
    var smallest = counterexample
    var hasShrunk = true
    while hasShrunk {
      hasShrunk = false
      for text in smaller(smallest.scenario) {
        guard let scenario = try? Scenario(parsing: text),
          let found = self.counterexample(scenario),
          found.defect == counterexample.defect
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
