import ConnectByListCore
import ConnectByListSimulation

/// Makes a random world, runs a race in it, and checks the race.
public enum Worlds {
  /// A race that violates a rule, with what is needed to repeat it.
  public struct Counterexample: Sendable {
    public let violation: Violation
    public let pathInformationWhenAsked: Bool
    public let scenario: [UInt8]
    public let transcript: [UInt8]
  }

  public static func race(_ scenario: Scenario, pathInformationWhenAsked: Bool) -> Transcript {
    Simulation(scenario, pathInformationWhenAsked: pathInformationWhenAsked).run()
  }

  /// The first rule that the race in this seed's world violates; `nil` if there is none.
  public static func counterexample(seed: UInt64) -> Counterexample? {
    let (scenario, pathInformationWhenAsked) = WorldGenerator.world(seed: seed)
    let transcript = race(scenario, pathInformationWhenAsked: pathInformationWhenAsked)
    // One race in 64 is repeated, from the scenario and from its text.
    let isSample = seed % 64 == 0
    return counterexample(
      of: transcript, pathInformationWhenAsked: pathInformationWhenAsked,
      again: isSample ? [scenario, try? Scenario(parsing: scenario.text)] : [])
  }

  /// The first violation in a race. `again`: scenarios that must give the same transcript.
  static func counterexample(
    of transcript: Transcript, pathInformationWhenAsked: Bool, again: [Scenario?]
  ) -> Counterexample? {
    var violation = RaceChecker.violations(
      in: RaceRecord(transcript, pathInformationWhenAsked: pathInformationWhenAsked)
    ).first
    for scenario in again where violation == nil {
      let text = scenario.map { race($0, pathInformationWhenAsked: pathInformationWhenAsked).text }
      if text != transcript.text {
        violation = Violation(
          rule: .repeatable, line: 0, text: "a second race gave another transcript")
      }
    }
    guard let violation else { return nil }
    return Counterexample(
      violation: violation, pathInformationWhenAsked: pathInformationWhenAsked,
      scenario: transcript.scenario.text,
      transcript: transcript.text)
  }

  /// A counterexample to the same rule whose scenario has fewer lines: removes lines one by one while the
  /// rule is still violated.
  public static func shrunk(_ counterexample: Counterexample) -> Counterexample {
    var smallest = counterexample
    var hasShrunk = true
    while hasShrunk {
      hasShrunk = false
      let lines = smallest.scenario.split(separator: UInt8(ascii: "\n")).map(Array.init)
      for left in lines.indices {
        var fewer = lines
        fewer.remove(at: left)
        let text = Array(fewer.joined(separator: [UInt8(ascii: "\n")]))
        guard let scenario = try? Scenario(parsing: text) else { continue }
        let again = race(scenario, pathInformationWhenAsked: smallest.pathInformationWhenAsked)
        if let found = self.counterexample(
          of: again, pathInformationWhenAsked: smallest.pathInformationWhenAsked, again: [scenario]),
          found.violation.rule == counterexample.violation.rule
        {
          smallest = found
          hasShrunk = true
          break
        }
      }
    }
    return smallest
  }
}
