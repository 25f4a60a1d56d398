import CConnectByListLuaTestSupport
import Foundation
import Testing

/// Tests the binding with each of Lua's allocations failing in turn. A script that uses every public
/// name, and every kind of misuse, succeeds or gets a memory error. It leaks no descriptor and no
/// byte, and then succeeds in the same state.
///
/// The script is Tests/Lua/every_name.lua. Each of its sections runs once for every allocation that
/// it requests, with each of three kinds of shortage. The address sanitizer adds checks of accesses
/// and of Swift's heap: `swift test --sanitize=address --disable-xctest --filter ConnectByListLuaTests`.
struct AllocationTests {
  /// Which requests fail, from the nth on.
  enum Shortage: String, CaseIterable, CustomTestStringConvertible {
    /// It alone fails. The second try, after Lua's emergency collection, succeeds: mostly there is no
    /// error, but a collection runs at the worst moment. (A request during a collection has no second
    /// try.)
    case once
    /// It and the second try fail: an error is raised, and later requests succeed.
    case twice
    /// It and all later requests fail.
    case forGood

    var testDescription: String { "fails \(rawValue)" }

    func last(from first: Int) -> Int {
      switch self {
      case .once: first
      case .twice: first + 1
      case .forGood: .max
      }
    }
  }

  /// Runs a section with its first allocation failing, then its second, and so on until a run has
  /// fewer. Returns the number of runs, and what was wrong.
  private static func sweep(
    _ text: String, section: Int, _ shortage: Shortage
  ) -> (runCount: Int, problems: [String]) {
    var problems: [String] = []
    let before = cbl_test_descriptor_count()
    var first = 1
    while problems.count < 5 {
      var outcome = cbl_test_outcome()
      cbl_test_run(text, CInt(section), first, shortage.last(from: first), &outcome)
      func note(_ what: String) { problems.append("allocation \(first): \(what)") }
      switch outcome.ending {
      case CBL_TEST_DONE, CBL_TEST_OUT_OF_MEMORY: break
      default:
        note(
          withUnsafeBytes(of: outcome.message) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
          })
      }
      if outcome.live_bytes != 0 { note("\(outcome.live_bytes) bytes not given back") }
      let after = cbl_test_descriptor_count()
      if after != before { note("\(before) descriptors before, \(after) after") }
      if outcome.request_count < first { return (first, problems) }
      first += 1
    }
    return (first, problems)
  }

  private static let script = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Lua/every_name.lua")

  private static let sections: [String] = {
    guard let text = try? String(contentsOf: script, encoding: .utf8) else { return [] }
    var names: [String] = []
    while true {
      var name = [CChar](repeating: 0, count: 64)
      guard cbl_test_section_name(text, CInt(names.count + 1), &name), names.count < 100 else {
        return names
      }
      let bytes = name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
      names.append(String(decoding: bytes, as: UTF8.self))
    }
  }()

  @Test func `the script has its sections`() { #expect(Self.sections.count >= 10) }

  /// The work of a thread with its own table of descriptors, and the result.
  private final class Sweep {
    let text: String
    let section: Int
    let shortage: Shortage
    var result: (runCount: Int, problems: [String]) = (0, [])

    init(_ text: String, _ section: Int, _ shortage: Shortage) {
      self.text = text
      self.section = section
      self.shortage = shortage
    }
  }

  @Test(arguments: sections, Shortage.allCases)
  func `W14: every allocation of Lua may fail, and nothing leaks`(
    section: String, shortage: Shortage
  ) throws {
    let number = try #require(Self.sections.firstIndex(of: section)) + 1
    let sweep = Sweep(try String(contentsOf: Self.script, encoding: .utf8), number, shortage)
    let error = cbl_test_with_own_descriptors(
      { context in
        let sweep = Unmanaged<Sweep>.fromOpaque(context!).takeUnretainedValue()
        sweep.result = AllocationTests.sweep(sweep.text, section: sweep.section, sweep.shortage)
      }, Unmanaged.passUnretained(sweep).toOpaque())
    try #require(error == 0, "a thread's own table of descriptors needs Linux 5.9: errno \(error)")
    #expect(sweep.result.problems == [])
    // Fewer would mean that no allocation failed.
    #expect(sweep.result.runCount > 20)
  }
}
