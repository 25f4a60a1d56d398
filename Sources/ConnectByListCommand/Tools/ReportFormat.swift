import CConnectByListLuaHost
import ConnectByList
import ConnectByListCore
import ConnectByListLua

/// `--report=FORMAT`: how a tool prints the report of its connect.
enum ReportFormat: CaseIterable {
  /// The waterfall that `tostring(report)` gives a script.
  case text
  case json
  /// The same as a picture.
  case svg

  var word: StaticString {
    switch self {
    case .text: "text"
    case .json: "json"
    case .svg: "svg"
    }
  }

  static func parse(_ word: [UInt8]) throws(CommandLineRequest.Misuse) -> ReportFormat {
    guard let format = allCases.first(where: { word.equals($0.word) }) else {
      throw CommandLineRequest.Misuse(
        "", quoting: word, " is no format of a report; expected text, json or svg")
    }
    return format
  }

  /// Writes the report to standard error: standard output is the peer's.
  func write(_ report: ConnectReport) {
    // The interpreter takes it over.
    let object = ReportBox.makeObject(report)
    _ = [UInt8](word).withTerminated {
      cbl_host_write_report(object, $0, Output.error.descriptor)
    }
  }
}
