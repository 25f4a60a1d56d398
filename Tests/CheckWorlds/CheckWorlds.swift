import Glibc
import ConnectByListRaceWorlds

/// `ConnectByListCheckWorlds COUNT [FIRST-SEED]` races in so many random worlds, on all processors, and
/// compares each with what the contract gives.
///
/// `ConnectByListCheckWorlds FILE` prints what the contract gives for one scenario.
///
/// Exit status: 0 where every race was as the contract has it, 1 where one was not, 2 for a wrong
/// argument.
@main struct ConnectByListCheckWorlds {
  /// Seeds that one task goes through before it asks for more: a second or less.
  static let batch: UInt64 = 5_000

  typealias Found = (seed: UInt64, violation: Worlds.Violation)

  static func main() async {
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.count == 1, let text = contents(ofFile: arguments.first!) {
      guard let expected = Worlds.expected(text) else {
        print("not a scenario")
        exit(2)
      }
      print(expected, terminator: "")
      exit(0)
    }
    let numbers = arguments.compactMap { UInt64($0) }
    guard numbers.count == arguments.count, (1...2).contains(numbers.count) else {
      print("usage: ConnectByListCheckWorlds COUNT [FIRST-SEED]")
      exit(2)
    }
    let first = numbers.count > 1 ? numbers[1] : 1
    let clock = ContinuousClock()
    let began = clock.now
    if let found = await firstViolation(first..<first + numbers[0]) {
      show(found)
      exit(1)
    }
    print("\(numbers[0]) worlds from seed \(first), no violation, \(began.duration(to: clock.now))")
  }

  /// As many batches at once as there are processors.
  static func firstViolation(_ seeds: Range<UInt64>) async -> Found? {
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    var batches = stride(from: seeds.lowerBound, to: seeds.upperBound, by: Int(batch))
      .map { $0..<min($0 + batch, seeds.upperBound) }[...]
    return await withTaskGroup(of: (done: Int, found: Found?).self) { group in
      for seeds in batches.prefix(processors) { group.addTask { check(seeds) } }
      batches = batches.dropFirst(processors)
      var done = 0
      for await result in group {
        if let found = result.found { return found }
        done += result.done
        if done % 100_000 == 0 && done < seeds.count { print("\(done) worlds") }
        if let seeds = batches.popFirst() { group.addTask { check(seeds) } }
      }
      return nil
    }
  }

  /// `nil`: there is no such file.
  private static func contents(ofFile name: String) -> [UInt8]? {
    guard let file = fopen(name, "r") else { return nil }
    defer { fclose(file) }
    var contents: [UInt8] = []
    while case let byte = getc(file), byte != EOF { contents.append(UInt8(byte)) }
    return contents
  }

  static func check(_ seeds: Range<UInt64>) -> (done: Int, found: Found?) {
    for seed in seeds {
      if let violation = Worlds.violation(seed: seed) { return (seeds.count, (seed, violation)) }
    }
    return (seeds.count, nil)
  }

  static func show(_ found: Found) {
    print("seed \(found.seed)")
    show(found.violation)
    print("in fewer lines:")
    show(Worlds.shrunk(found.violation))
  }

  private static func show(_ violation: Worlds.Violation) {
    print(String(decoding: violation.scenario, as: UTF8.self))
    print("# the contract")
    print(String(decoding: violation.expected, as: UTF8.self))
    print("# the race")
    print(String(decoding: violation.transcript, as: UTF8.self))
  }
}
