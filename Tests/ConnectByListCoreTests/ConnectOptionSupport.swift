import Testing

@testable import ConnectByListCore

/// The fields of the options that the rows get, as text: two options are equal if these are.
func fieldTexts(of options: ConnectOptions) -> [String: String] {
  var texts: [String: String] = [:]
  for option in ConnectOption.table {
    switch option.kind {
    case .boolean(let get, _): texts["\(option.name)"] = "\(get(options) as Any)"
    case .span(_, let get, _), .bound(_, let get, _):
      texts["\(option.name)"] = "\(get(options) as Any)"
    case .whole(_, let get, _): texts["\(option.name)"] = "\(get(options))"
    case .word(_, let get, _): texts["\(option.name)"] = "\(get(options))"
    case .localAddresses: texts["\(option.name)"] = "\(options.locals)"
    case .interface, .socketOptions, .function: break
    }
  }
  return texts
}

/// A value of an option that differs from its default.
enum OtherValue {
  case value(OptionValue)
  case locals(ConnectOptions.Locals)
}

func otherValues(of option: ConnectOption) -> [OtherValue] {
  switch option.kind {
  case .boolean(let get, _): [.value(.boolean(!(get(ConnectOptions()) ?? false)))]
  case .span(let range, _, _): [.value(.span(range.upperBound)), .value(.number(1.5))]
  case .bound(let least, _, _): [.value(.span(least)), .value(.number(1.5))]
  case .whole(let range, _, _): [.value(.number(Double(range.lowerBound + 1))), .value(.number(7))]
  case .word(let words, let get, _):
    words.indices.filter { $0 != get(ConnectOptions()) }.map {
      .value(.text([UInt8](words[$0])))
    }
  case .localAddresses:
    [
      .locals(.routeOnly),
      .locals(
        .these([
          Endpoint(IPAddress(v4: 0x0a00_0005), port: 0),
          Endpoint(IPAddress(v4: 0x0a00_0005), port: 4000),
        ])),
    ]
  case .interface, .socketOptions, .function: []
  }
}

func options(with value: OtherValue, of option: ConnectOption) throws -> ConnectOptions {
  var options = ConnectOptions()
  switch value {
  case .value(let value): try #require(option.set(value, in: &options))
  case .locals(let locals): options.locals = locals
  }
  return options
}
