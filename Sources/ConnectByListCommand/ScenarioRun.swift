import CConnectByListLuaHost
import ConnectByListCore
import ConnectByListSimulation
import Glibc

/// `--simulate` and `--explain`: a race that a file describes, seen without a network.
///
/// Exit status: 0 won (or explained), 1 lost or cancelled, 2 a file that cannot be read or
/// understood.
struct ScenarioRun {
  private static let lost: CInt = 1
  private static let badFile: CInt = 2
  /// More than any race that a person describes.
  private static let sizeMax = 64 << 20

  private let path: String
  private let file: UnsafePointer<CChar>

  init(file: UnsafePointer<CChar>) {
    self.file = file
    path = String(cString: file)
  }

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
    guard let text = bytes() else { return nil }
    do {
      return try Scenario(parsing: text)
    } catch {
      cbl_host_report_error(
        "\(path):\(error.line): \(String(decoding: error.message, as: UTF8.self))")
      return nil
    }
  }

  private func bytes() -> [UInt8]? {
    guard let stream = fopen(file, "rb") else {
      cbl_host_report_error("cannot open \(path): \(String(cString: strerror(errno)))")
      return nil
    }
    defer { fclose(stream) }
    var text: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = fread(&room, 1, room.count, stream)
      if count == 0 { break }
      text.append(contentsOf: room[0..<count])
      if text.count > Self.sizeMax {
        cbl_host_report_error("\(path): larger than 64 MiB")
        return nil
      }
    }
    // A folder opens, and reads with an error.
    guard ferror(stream) == 0 else {
      cbl_host_report_error("cannot read \(path): \(String(cString: strerror(errno)))")
      return nil
    }
    return text
  }

  private func show(_ text: [UInt8]) {
    var rest = text[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
