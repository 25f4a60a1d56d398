import ConnectByListSimulation
import ConnectByListCore

/// One world made, raced in and judged.
public enum Worlds {
  /// A race that did not have one of its properties, with what is needed to see it again.
  public struct Violation: Sendable {
    public let complaint: Complaint
    public let pathInformationWhenAsked: Bool
    public let scenario: [UInt8]
    public let transcript: [UInt8]
  }

  public static func race(_ scenario: Scenario, pathInformationWhenAsked: Bool) -> Transcript {
    Simulation(scenario, pathInformationWhenAsked: pathInformationWhenAsked).run()
  }

  /// What is wrong with the race in this seed's world; `nil`: nothing.
  public static func violation(seed: UInt64) -> Violation? {
    let (scenario, pathInformationWhenAsked) = WorldGenerator.world(seed: seed)
    let transcript = race(scenario, pathInformationWhenAsked: pathInformationWhenAsked)
    // Every so often: once more, and once more from its text.
    let isSample = seed % 64 == 0
    return violation(
      of: transcript, pathInformationWhenAsked: pathInformationWhenAsked,
      again: isSample ? [scenario, try? Scenario(parsing: scenario.text)] : [])
  }

  /// The first complaint about a race. `again`: scenarios that must give the same transcript.
  static func violation(
    of transcript: Transcript, pathInformationWhenAsked: Bool, again: [Scenario?]
  ) -> Violation? {
    var complaint = RaceChecker.complaints(
      about: RaceRecord(transcript, pathInformationWhenAsked: pathInformationWhenAsked)
    ).first
    for scenario in again where complaint == nil {
      let text = scenario.map { race($0, pathInformationWhenAsked: pathInformationWhenAsked).text }
      if text != transcript.text {
        complaint = Complaint(rule: .repeatable, line: 0, text: "another transcript the next time")
      }
    }
    guard let complaint else { return nil }
    return Violation(
      complaint: complaint, pathInformationWhenAsked: pathInformationWhenAsked,
      scenario: transcript.scenario.text,
      transcript: transcript.text)
  }

  /// The same violation in the smallest world found by leaving out lines.
  public static func shrunk(_ violation: Violation) -> Violation {
    var smallest = violation
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
        if let found = self.violation(
          of: again, pathInformationWhenAsked: smallest.pathInformationWhenAsked, again: [scenario]),
          found.complaint.rule == violation.complaint.rule
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
