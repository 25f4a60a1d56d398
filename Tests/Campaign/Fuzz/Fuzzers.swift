import CConnectByListFuzzSupport

/// A fuzzer: reads an input, and ends the process where something is wrong.
struct Fuzzer: Sendable {
  let name: StaticString
  let run: @Sendable (FuzzInput) -> Void

  static let all: [Fuzzer] = [
    Fuzzer(name: "endpoint-text", run: fuzzEndpointText),
    Fuzzer(name: "scenario-text", run: fuzzScenarioText),
    Fuzzer(name: "netlink", run: fuzzNetlink),
    Fuzzer(name: "gai-conf", run: fuzzGaiConf),
    Fuzzer(name: "tables") { $0.pass { cbl_fuzz_script("tables", $0, $1) } },
    Fuzzer(name: "reading") { $0.pass { cbl_fuzz_script("reading", $0, $1) } },
    Fuzzer(name: "dialect") { $0.pass { cbl_fuzz_script("dialect", $0, $1) } },
    Fuzzer(name: "c-entry") { $0.pass { cbl_fuzz_c_entry($0, $1) } },
  ]
}

@c @implementation public func cbl_fuzz_find(_ name: UnsafePointer<CChar>!) -> CInt {
  let wanted = String(cString: name)
  return CInt(Fuzzer.all.firstIndex { "\($0.name)" == wanted } ?? -1)
}

@c @implementation public func cbl_fuzz_name(_ index: CInt) -> UnsafePointer<CChar>! {
  guard Fuzzer.all.indices.contains(Int(index)) else { return nil }
  return UnsafeRawPointer(Fuzzer.all[Int(index)].name.utf8Start)
    .assumingMemoryBound(to: CChar.self)
}

@c @implementation public func cbl_fuzz_run(
  _ index: CInt, _ bytes: UnsafePointer<UInt8>!, _ count: Int
) {
  Fuzzer.all[Int(index)].run(FuzzInput(UnsafeRawBufferPointer(start: bytes, count: count)))
}

/// The bytes of an input, from which small values are taken.
struct FuzzInput {
  private var rest: Slice<UnsafeRawBufferPointer>

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

  /// What was not taken yet.
  var bytes: [UInt8] { Array(rest) }

  /// 0 at the end.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func number() -> UInt64 {
    (0..<8).reduce(0) { number, _ in number << 8 | UInt64(byte()) }
  }

  func pass(_ body: (UnsafePointer<UInt8>?, Int) -> Void) {
    let part = UnsafeRawBufferPointer(rebasing: rest)
    body(part.baseAddress?.assumingMemoryBound(to: UInt8.self), part.count)
  }
}

/// Ends the process unless the condition holds.
func check(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { cbl_fuzz_fail(message()) }
}
