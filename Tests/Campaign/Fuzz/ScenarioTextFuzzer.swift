import CConnectByListFuzzSupport
import ConnectByListCore
import ConnectByListSimulation

/// Scenario text: what is parsed is printed, and the print is parsed again with the same print; the races of both
/// have one transcript.
func fuzzScenarioText(_ input: FuzzInput) {
  let text = input.bytes
  guard text.count <= 4096, let scenario = try? Scenario(parsing: text) else { return }
  let printed = scenario.text
  let again: Scenario
  do throws(ScenarioError) {
    again = try Scenario(parsing: printed)
  } catch {
    cbl_fuzz_fail(
      "the print of a scenario cannot be parsed: " + String(decoding: error.text, as: UTF8.self))
    return
  }
  check(again.text == printed, "a scenario is printed differently after a round trip")
  guard isShort(scenario) else { return }
  let transcript = Simulation(scenario).run()
  let repeated = Simulation(again).run()
  check(transcript.text == repeated.text, "a scenario runs differently after a round trip")
}

/// Whether its race has few rounds: a year in rounds of a millisecond is no defect, but takes long.
private func isShort(_ scenario: Scenario) -> Bool {
  guard let retry = scenario.options.retry else { return true }
  let limit = min(
    scenario.options.timeout ?? .seconds(1 << 30), scenario.cancel ?? .seconds(1 << 30))
  return retry.nanoseconds > 0 && limit.nanoseconds / retry.nanoseconds < 50
}
