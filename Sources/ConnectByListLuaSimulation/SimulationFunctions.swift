import CConnectByListLuaSimulation
import ConnectByListCore
import ConnectByListSimulation

/// The texts that answer a question, at addresses that stay.
private final class SimulationAnswer {
  let isUnderstood: Bool
  private let texts: [UnsafeMutableBufferPointer<UInt8>]

  init(isUnderstood: Bool, _ texts: [UInt8]...) {
    self.isUnderstood = isUnderstood
    self.texts = texts.map { text in
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
      _ = copy.initialize(from: text)
      return copy
    }
  }

  deinit {
    for text in texts { text.deallocate() }
  }

  func text(at index: Int) -> cbl_simulation_text {
    let text = texts[index]
    return cbl_simulation_text(
      bytes: UnsafeRawPointer(text.baseAddress)?.assumingMemoryBound(to: CChar.self),
      length: text.count)
  }

  static func at(_ object: UnsafeMutableRawPointer) -> SimulationAnswer {
    Unmanaged<SimulationAnswer>.fromOpaque(object).takeUnretainedValue()
  }
}

@c @implementation public func cbl_simulation_new(
  _ scenario: UnsafePointer<CChar>!, _ length: Int, _ question: cbl_simulation_question
) -> UnsafeMutableRawPointer! {
  let text = [UInt8](UnsafeRawBufferPointer(start: scenario, count: length))
  return Unmanaged.passRetained(answer(text, question)).toOpaque()
}

private func answer(_ text: [UInt8], _ question: cbl_simulation_question) -> SimulationAnswer {
  do throws(ScenarioError) {
    let scenario = try Scenario(parsing: text)
    guard question == CBL_SIMULATION_RUN else {
      return SimulationAnswer(isUnderstood: true, Simulation.explain(scenario))
    }
    let transcript = Simulation(scenario).run()
    return SimulationAnswer(isUnderstood: true, transcript.table, transcript.text)
  } catch {
    return SimulationAnswer(isUnderstood: false, error.text)
  }
}

@c @implementation public func cbl_simulation_release(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<SimulationAnswer>.fromOpaque(object).release()
}

@c @implementation public func cbl_simulation_is_understood(
  _ object: UnsafeMutableRawPointer!
) -> Bool {
  SimulationAnswer.at(object).isUnderstood
}

@c @implementation public func cbl_simulation_text_at(
  _ object: UnsafeMutableRawPointer!, _ index: CInt
) -> cbl_simulation_text {
  SimulationAnswer.at(object).text(at: Int(index))
}
