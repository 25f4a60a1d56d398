import CConnectByListLuaTestSupport
import Foundation
import Testing

/// The border's proof: whichever allocation of Lua's fails, a script that uses every public name
/// (and every kind of misuse) ends in success or in a memory error. Nothing is lost in that moment,
/// no descriptor and no byte, and the same script then succeeds in the same state.
///
/// The script is Tests/Lua/every_name.lua. Each of its sections runs once for every allocation that
/// it asks for, in each of three ways to run out of memory. Run under the address sanitizer this
/// shows wild accesses and what Swift's own heap has lost, too:
/// `swift test --sanitize=address --disable-xctest --filter ConnectByListLuaTests`.
struct AllocationTests {
  /// How memory runs out at the nth request.
  enum Shortage: String, CaseIterable, CustomTestStringConvertible {
    /// It fails, and the second try, after Lua's emergency collection, succeeds: nobody sees an
    /// error, as a rule (a collection makes no second try itself), but a collection has come at the
    /// worst moment.
    case once
    /// It fails, and so does the second try: an error is raised, and all that follows has memory.
    case twice
    /// There is no more memory from here on.
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

  /// Runs a section with each of its allocations failing, until a run ends that has none left to
  /// fail. Returns how many runs that were, and what was wrong.
  private static func sweep(
    _ text: String, section: Int, _ shortage: Shortage
  ) -> (runCount: Int, complaints: [String]) {
    var complaints: [String] = []
    let before = cbl_test_descriptor_count()
    var first = 1
    while complaints.count < 5 {
      var outcome = cbl_test_outcome()
      cbl_test_run(text, CInt(section), first, shortage.last(from: first), &outcome)
      func complain(_ what: String) { complaints.append("allocation \(first): \(what)") }
      switch outcome.ending {
      case CBL_TEST_DONE, CBL_TEST_OUT_OF_MEMORY: break
      default:
        complain(
          withUnsafeBytes(of: outcome.message) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
          })
      }
      if outcome.live_bytes != 0 { complain("\(outcome.live_bytes) bytes not given back") }
      let after = cbl_test_descriptor_count()
      if after != before { complain("\(before) descriptors before, \(after) after") }
      if outcome.request_count < first { return (first, complaints) }
      first += 1
    }
    return (first, complaints)
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

  /// What a thread of its own works on, and leaves.
  private final class Errand {
    let text: String
    let section: Int
    let shortage: Shortage
    var result: (runCount: Int, complaints: [String]) = (0, [])

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
    let errand = Errand(try String(contentsOf: Self.script, encoding: .utf8), number, shortage)
    let error = cbl_test_with_own_descriptors(
      { context in
        let errand = Unmanaged<Errand>.fromOpaque(context!).takeUnretainedValue()
        errand.result = AllocationTests.sweep(errand.text, section: errand.section, errand.shortage)
      }, Unmanaged.passUnretained(errand).toOpaque())
    try #require(error == 0, "a table of descriptors of one's own takes Linux 5.9: errno \(error)")
    #expect(errand.result.complaints == [])
    // Fewer would mean that nothing was made to fail.
    #expect(errand.result.runCount > 20)
  }
}
