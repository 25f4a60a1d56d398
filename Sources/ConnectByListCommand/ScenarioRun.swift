import CConnectByListLuaHost
import ConnectByListCore
import ConnectByListSimulation

/// `--simulate` and `--explain`: a race that a file describes, without a network.
///
/// Exit status: 0 won or explained; 1 lost or cancelled; 2 the file cannot be read or parsed.
struct ScenarioRun {
  private static let lost: CInt = 1
  private static let badFile: CInt = 2

  private let path: UnsafePointer<CChar>

  init(file path: UnsafePointer<CChar>) { self.path = path }

  func simulate() -> CInt {
    guard let scenario = read() else { return Self.badFile }
    let transcript = Simulation(scenario).run()
    show(transcript.text)
    if case .won = transcript.result { return 0 }
    return Self.lost
  }

  func explain() -> CInt {
    guard let scenario = read() else { return Self.badFile }
    show(Simulation.explain(scenario))
    return 0
  }

  private func read() -> Scenario? {
    var text = cbl_host_text()
    guard cbl_host_read_file(path, &text) else { return nil }
    defer { cbl_host_free_text(&text) }
    do {
      let bytes = UnsafeBufferPointer(start: text.bytes, count: text.size)
      return try Scenario(parsing: [UInt8](bytes))
    } catch {
      let message = String(decoding: error.message, as: UTF8.self)
      cbl_host_report_error("\(String(cString: path)):\(error.line): \(message)")
      return nil
    }
  }

  private func show(_ text: [UInt8]) { cbl_host_print(text, text.count) }
}
