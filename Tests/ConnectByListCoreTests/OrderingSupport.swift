import ConnectByListCore
import Glibc
import Testing

func ip(_ text: String) -> IPAddress {
  var bytes = [UInt8](repeating: 0, count: 16)
  if inet_pton(AF_INET6, text, &bytes) == 1 {
    let halves = [bytes[..<8], bytes[8...]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    return IPAddress(high: halves[0], low: halves[1])
  }
  precondition(inet_pton(AF_INET, text, &bytes) == 1, "not an address: \(text)")
  return IPAddress(v4: bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) })
}

func to(
  _ destination: String, from source: String? = nil,
  _ change: (inout OrderingCandidate) -> Void = { _ in }
) -> OrderingCandidate {
  var candidate = OrderingCandidate(ip(destination), source: source.map(ip))
  change(&candidate)
  return candidate
}

/// Expects the same result for both orders of the arguments.
func expect(
  _ better: OrderingCandidate, before worse: OrderingCandidate, by rule: OrderingRule,
  at location: SourceLocation = #_sourceLocation
) {
  #expect(Ordering.compare(better, worse) == (.first, rule), sourceLocation: location)
  #expect(Ordering.compare(worse, better) == (.second, rule), sourceLocation: location)
}
