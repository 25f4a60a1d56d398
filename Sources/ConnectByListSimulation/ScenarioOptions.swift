import ConnectByListCore

// `option NAME VALUE` lines: how they are read and written. Names, kinds and ranges are those of
// `ConnectOption.table`.

extension ConnectOption {
  /// The options that a scenario can set. The others are about sockets.
  static var scenarioTable: [ConnectOption] { table.filter { $0.isForScenarios } }

  private var isForScenarios: Bool {
    switch kind {
    case .boolean, .span, .bound, .whole, .word, .localAddresses: true
    case .interface, .socketOptions, .function: false
    }
  }
}

// MARK: reading

extension Scenario {
  mutating func readOption(_ line: inout ScenarioLine) throws(ScenarioError) {
    let name = try line.takeWord("the name of an option")
    guard let option = ConnectOption.scenarioTable.first(where: { name.equals($0.name) }) else {
      throw line.unknown("option", name, among: ConnectOption.scenarioTable.map { $0.name })
    }
    if case .localAddresses = option.kind {
      options.locals = try line.takeLocalAddresses(scopes)
      return
    }
    let word = try line.takeWord("the option's value")
    guard option.set(try line.value(of: option, word), in: &options) else {
      throw line.wrongValue(of: option, word)
    }
  }
}

extension ScenarioLine {
  fileprivate func value(
    of option: ConnectOption, _ word: [UInt8]
  ) throws(ScenarioError) -> OptionValue {
    switch option.kind {
    case .boolean:
      if word.equals("true") { return .boolean(true) }
      if word.equals("false") { return .boolean(false) }
      return .text(word)
    case .span, .bound: return .span(try duration(word))
    case .whole:
      guard let number = AddressLiteral.decimal(word.span, digitsMax: 16) else {
        return .text(word)
      }
      return .number(Double(number))
    case .word, .localAddresses, .interface, .socketOptions, .function: return .text(word)
    }
  }

  /// `option 'in_flight' must be a whole number, 1 to 4096; got '0'`
  fileprivate func wrongValue(of option: ConnectOption, _ word: [UInt8]) -> ScenarioError {
    var text = TextBuffer()
    text.append("option '")
    text.append(option.name)
    text.append("' must be ")
    text.append(option.allowed.bytes)
    text.append("; got '")
    text.append(escaped: word)
    text.append("'")
    return ScenarioError(line: number, message: text.bytes)
  }

  fileprivate mutating func takeLocalAddresses(
    _ scopes: ScenarioScopes
  ) throws(ScenarioError) -> ConnectOptions.Locals {
    if skip("false") { return .routeOnly }
    var locals: [Endpoint] = []
    repeat {
      let word = try takeWord("an address or false")
      if let address = EndpointText.parseAddress(word, scopes: scopes) {
        locals.append(Endpoint(address.unmapped, port: 0))
      } else {
        locals.append(try endpoint(word, scopes, allowsMulticast: false).unmapped)
      }
    } while !isAtEnd
    return .these(locals)
  }
}

// MARK: writing

extension ScenarioText {
  /// A line for every option that differs from its default.
  mutating func append(_ options: ConnectOptions) {
    for option in ConnectOption.scenarioTable { append(option, of: options) }
  }

  private mutating func append(_ option: ConnectOption, of options: ConnectOptions) {
    let defaults = ConnectOptions()
    switch option.kind {
    case .boolean(let get, _):
      guard let value = get(options), value != get(defaults) else { return }
      line(option) { $0.append(value ? "true" : "false") }
    case .span(_, let get, _), .bound(_, let get, _):
      guard let value = get(options), value != get(defaults) else { return }
      line(option) { $0.append(duration: value) }
    case .whole(_, let get, _):
      let value = get(options)
      if value != get(defaults) { line(option) { $0.append(decimal: value) } }
    case .word(let words, let get, _):
      let index = get(options)
      if index != get(defaults) { line(option) { $0.append(words[index]) } }
    case .localAddresses:
      switch options.locals {
      case .all: break
      case .routeOnly: line(option) { $0.append("false") }
      case .these(let locals):
        line(option) { [scopes] in
          for (index, local) in locals.enumerated() {
            if index > 0 { $0.append(" ") }
            if local.port == 0 {
              $0.append(local.address, scopes: scopes)
            } else {
              $0.append(local, scopes: scopes)
            }
          }
        }
      }
    case .interface, .socketOptions, .function: break
    }
  }

  private mutating func line(_ option: ConnectOption, _ value: (inout TextBuffer) -> Void) {
    line("option ") {
      $0.append(option.name)
      $0.append(" ")
      value(&$0)
    }
  }
}
