import Testing

@testable import ConnectByListCore

/// Every row of the table of connect options: names, words, defaults, ranges, types, and that a row sets
/// its own field.
@Suite struct ConnectOptionTests {
  private static let names = ConnectOption.table.map { "\($0.name)" }

  private func row(_ name: String) throws -> ConnectOption {
    try #require(ConnectOption.named(Array(name.utf8)))
  }

  /// The contract's ranges and defaults, stated a second time.
  private static let contract: [(name: String, allowed: String, defaultText: String)] = [
    ("timeout", "a number of seconds, 0 or more", "none"),
    ("attempt_delay", "a number of seconds, 0.01 to 60", "learned, else 0.15"),
    ("minimum_delay", "a number of seconds, 0.01 to 60", "0.01"),
    ("attempt_timeout", "a number of seconds above 0", "the kernel's"),
    ("hedge", "a number of seconds, 0.01 or more", "none"),
    ("retry", "a number of seconds, 0.01 or more", "none"),
    ("pace", "'accelerating', 'steady', 'parallel' or 'sequential'", "accelerating"),
    ("order", "'likely', 'given' or 'random'", "likely"),
    ("seed", "a whole number, 0 to 2^53", "0"),
    ("interleave", "a boolean", "true; with the order `given` false"),
    ("in_flight", "a whole number, 1 to 4096", "64"),
    ("mptcp", "a boolean", "false"),
    ("family", "'any', 'inet', 'inet6' or 'unix'", "any"),
    ("local_addresses", "an array of IP addresses, or false", "all"),
    ("interface", "the name of an interface", "any"),
    ("socket", "a table of socket options", "`{nodelay = true}`"),
    ("validate", "a function", "none"),
    ("on_event", "a function", "none"),
    ("wait", "a function", "blocks"),
  ]

  @Test func `the table has the contract's options, each once`() {
    #expect(Self.names == Self.contract.map(\.name))
    #expect(Set(Self.names).count == Self.names.count)
    for option in ConnectOption.table { #expect("\(option.documentation)" != "") }
  }

  @Test(arguments: contract)
  func `the words for its values, and its default`(
    name: String, allowed: String, defaultText: String
  ) throws {
    let option = try row(name)
    #expect(String(decoding: option.allowed.bytes, as: UTF8.self) == allowed)
    #expect("\(option.defaultText)" == defaultText)
    // A default that is a value must be the field's. The others are in words.
    let defaults = ConnectOptions()
    switch option.kind {
    case .boolean(let get, _):
      if let value = get(defaults) { #expect(defaultText == "\(value)") }
    case .span(_, let get, _), .bound(_, let get, _):
      if let value = get(defaults) { #expect(defaultText == "\(value.seconds)") }
    case .whole(_, let get, _): #expect(defaultText == "\(get(defaults))")
    case .word(let words, let get, _): #expect(defaultText == "\(words[get(defaults)])")
    case .localAddresses, .interface, .socketOptions, .function: break
    }
  }

  @Test func `interleave is on by default, but not with the given order`() {
    var options = ConnectOptions()
    #expect(options.interleaves)
    options.order = .given
    #expect(!options.interleaves)
  }

  @Test(arguments: names)
  func `a row sets its own field and no other`(name: String) throws {
    let option = try row(name)
    let defaults = fieldTexts(of: ConnectOptions())
    for value in otherValues(of: option) {
      let changed = fieldTexts(of: try options(with: value, of: option))
      #expect(changed.keys.filter { changed[$0] != defaults[$0] } == [name])
    }
  }

  // MARK: ranges

  /// Values at the ends of the row's range, and the nearest ones outside of it.
  private func ends(of option: ConnectOption) -> (inside: [OptionValue], outside: [OptionValue]) {
    switch option.kind {
    case .span(let range, _, _):
      let (least, most) = (range.lowerBound.nanoseconds, range.upperBound.nanoseconds)
      return (
        [.span(range.lowerBound), .span(range.upperBound), .number(range.lowerBound.seconds)],
        [
          .span(TimeSpan(nanoseconds: least - 1)), .span(TimeSpan(nanoseconds: most + 1)),
          .number(.infinity),
        ]
      )
    case .bound(let least, _, _):
      return (
        [.span(least), .span(.forever), .number(.infinity), .number(1e300)],
        [.span(TimeSpan(nanoseconds: least.nanoseconds - 1))]
      )
    case .whole(let range, _, _):
      let most = min(Double(range.upperBound), 9_007_199_254_740_992)
      return (
        [.number(Double(range.lowerBound)), .number(most)],
        [
          .number(Double(range.lowerBound) - 1), .number(Double(range.lowerBound) + 0.5),
          .number(most.nextUp), .number(most + 2),
        ]
      )
    case .word(let words, _, _):
      let texts = words.map { [UInt8]($0) }
      var wrong: [[UInt8]] = [[]]
      for text in texts {
        wrong += [Array(text.dropLast()), text + [0], text.map { $0 & ~0x20 }]
      }
      // One word may be another's beginning, as "inet" is of "inet6".
      wrong.removeAll { texts.contains($0) }
      return (texts.map { .text($0) }, wrong.map { .text($0) })
    case .boolean: return ([.boolean(true), .boolean(false)], [])
    case .localAddresses, .interface, .socketOptions, .function: return ([], [])
    }
  }

  @Test(arguments: names)
  func `both ends of a range are taken, and nothing outside`(name: String) throws {
    let option = try row(name)
    let (inside, outside) = ends(of: option)
    for value in inside {
      var options = ConnectOptions()
      #expect(option.set(value, in: &options), "\(value)")
      #expect(options.defect == nil, "\(value)")
    }
    for value in outside {
      var options = ConnectOptions()
      #expect(!option.set(value, in: &options), "\(value)")
      #expect(fieldTexts(of: options) == fieldTexts(of: ConnectOptions()), "\(value)")
    }
  }

  @Test(arguments: names)
  func `a value of another type is not taken`(name: String) throws {
    let option = try row(name)
    var wrong: [OptionValue] = [
      .other, .number(.nan), .number(-1), .number(-.infinity), .text(Array("1".utf8)),
    ]
    switch option.kind {
    case .boolean: wrong += [.number(0), .number(1), .text(Array("true".utf8)), .span(.zero)]
    case .span, .bound: wrong += [.boolean(true)]
    case .whole: wrong += [.boolean(true), .span(.seconds(1))]
    case .word: wrong += [.boolean(true), .number(0), .span(.zero)]
    // No single value is one of these.
    case .localAddresses, .interface, .socketOptions, .function:
      wrong += [.boolean(false), .text([])]
    }
    for value in wrong {
      var options = ConnectOptions()
      #expect(!option.set(value, in: &options), "\(value)")
      #expect(fieldTexts(of: options) == fieldTexts(of: ConnectOptions()), "\(value)")
    }
  }

  @Test func `an infinite bound is no bound`() throws {
    for name in ["timeout", "attempt_timeout", "hedge", "retry"] {
      let option = try row(name)
      var options = ConnectOptions()
      #expect(option.set(.number(1), in: &options))
      #expect(option.set(.number(.infinity), in: &options))
      #expect(fieldTexts(of: options) == fieldTexts(of: ConnectOptions()))
    }
  }

  /// Sets the option's field, as a Swift program can, to values just outside of the range.
  private func defects(of option: ConnectOption) -> [ConnectOptions] {
    var all: [ConnectOptions] = []
    func add(_ change: (inout ConnectOptions) -> Void) {
      var options = ConnectOptions()
      change(&options)
      all.append(options)
    }
    switch option.kind {
    case .span(let range, _, let set):
      add { set(&$0, TimeSpan(nanoseconds: range.lowerBound.nanoseconds - 1)) }
      add { set(&$0, TimeSpan(nanoseconds: range.upperBound.nanoseconds + 1)) }
    case .bound(let least, _, let set):
      add { set(&$0, TimeSpan(nanoseconds: least.nanoseconds - 1)) }
    case .whole(let range, _, let set):
      if range.lowerBound > .min { add { set(&$0, range.lowerBound - 1) } }
      if range.upperBound < .max { add { set(&$0, range.upperBound + 1) } }
    case .boolean, .word, .localAddresses, .interface, .socketOptions, .function: break
    }
    return all
  }

  @Test(arguments: [
    ("timeout", 1), ("attempt_delay", 2), ("minimum_delay", 2), ("attempt_timeout", 1),
    ("hedge", 1), ("retry", 1), ("in_flight", 2),
  ])
  func `a field out of the row's range is a defect, in the same words`(
    name: String, count: Int
  ) throws {
    let option = try row(name)
    let allowed = String(decoding: option.allowed.bytes, as: UTF8.self)
    let defects = defects(of: option)
    #expect(defects.count == count)
    for options in defects {
      let defect = try #require(options.defect)
      #expect(
        String(decoding: defect.bytes, as: UTF8.self) == "option '\(name)' must be \(allowed)")
    }
  }

  @Test func `a negative number of attempts is a defect, and every seed is none`() {
    var options = ConnectOptions()
    options.seed = .max
    #expect(options.defect == nil)
    options.inFlight = -1
    #expect(options.defect != nil)
  }

  // MARK: misspelled names

  @Test(arguments: names)
  func `the nearest name of a misspelling is the right one`(name: String) {
    let all = ConnectOption.table.map { $0.name }
    let letters = Array(name.utf8)
    var slips = [Array(letters.dropFirst()), letters + [UInt8(ascii: "x")]]
    slips.append(letters.filter { $0 != UInt8(ascii: "_") })
    for index in letters.indices.dropLast() {
      var swapped = letters
      swapped.swapAt(index, index + 1)
      slips.append(swapped)
    }
    for slip in slips {
      let nearest = NearestName.nearest(to: slip, in: all)
      #expect(nearest.map { "\($0)" } == name, "\(String(decoding: slip, as: UTF8.self))")
    }
  }

  @Test func `a name that is near to none has no nearest`() {
    let all = ConnectOption.table.map { $0.name }
    for name in ["", "colour", "credentials_all", String(repeating: "timeout", count: 10)] {
      #expect(NearestName.nearest(to: Array(name.utf8), in: all) == nil, "\(name)")
      #expect(ConnectOption.named(Array(name.utf8)) == nil)
    }
  }
}
