import ConnectByListRaceWorlds
import Glibc

/// `ConnectByListCheckWorlds COUNT [FIRST-SEED]` runs a race in each of COUNT random worlds, on all processors,
/// and compares it with the reference race and the promises of the contract.
///
/// `ConnectByListCheckWorlds FILE` prints the transcript that the contract gives a scenario.
///
/// Exit status: 0 if every race is as the contract has it, 1 if one is not (it is printed), 2 for a wrong
/// argument.
@main struct ConnectByListCheckWorlds {
  /// How many seeds one task checks, in at most about a second.
  static let batch: UInt64 = 5_000

  typealias Found = (seed: UInt64, counterexample: Worlds.Counterexample)

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
    if let found = await firstCounterexample(first..<first + numbers[0]) {
      show(found)
      exit(1)
    }
    print(
      "\(numbers[0]) worlds from seed \(first), no difference, \(began.duration(to: clock.now))")
  }

  /// Runs as many batches at once as there are processors.
  static func firstCounterexample(_ seeds: Range<UInt64>) async -> Found? {
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
      if let counterexample = Worlds.counterexample(seed: seed) {
        return (seeds.count, (seed, counterexample))
      }
    }
    return (seeds.count, nil)
  }

  static func show(_ found: Found) {
    print("seed \(found.seed)")
    show(found.counterexample)
    print("in fewer lines:")
    show(Worlds.shrunk(found.counterexample))
  }

  private static func show(_ counterexample: Worlds.Counterexample) {
    print(counterexample.defect)
    print(String(decoding: counterexample.scenario, as: UTF8.self))
    print("# the contract:")
    print(String(decoding: counterexample.expected, as: UTF8.self))
    print("# the race:")
    print(String(decoding: counterexample.transcript, as: UTF8.self))
  }
}
