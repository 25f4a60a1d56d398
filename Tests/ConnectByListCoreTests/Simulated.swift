@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The transcript of a scenario's race, without its last newline, or the parser's error.
func transcript(_ scenario: String) -> String {
  simulated(scenario) { Simulation($0).run().text }
}

/// The plan of a scenario, one line for each pair, or the parser's error.
func explanation(_ scenario: String) -> String {
  simulated(scenario) { Simulation.explain($0) }
}

private func simulated(_ text: String, _ body: (Scenario) -> [UInt8]) -> String {
  let bytes: [UInt8]
  do throws(ScenarioError) {
    bytes = body(try Scenario(parsing: Array(text.utf8)))
  } catch {
    bytes = error.text
  }
  let result = String(decoding: bytes, as: UTF8.self)
  return result.hasSuffix("\n") ? String(result.dropLast()) : result
}
