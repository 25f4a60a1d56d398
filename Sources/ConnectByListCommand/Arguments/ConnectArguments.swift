import ConnectByList
import ConnectByListCore

extension ConnectRequest {
  /// Takes a connect option of a tool: `--attempt-delay 0.2` is the option `attempt_delay`. Throws for a
  /// name that is none, and for a value out of its range.
  mutating func take(
    _ name: [UInt8], from arguments: inout ToolArguments, beside others: [StaticString]
  ) throws(CommandLineRequest.Misuse) {
    if name.equals("trace") {
      Trace.begin()
    } else if let action = EgressPolicy.Action(option: [UInt8]("--") + name) {
      try policy.take(action, try arguments.value(of: name), of: [UInt8]("--") + name)
    } else if name.equals("interface") {
      settings.interface = try arguments.value(of: name)
    } else if name.equals("local-address") {
      try take(local: try arguments.value(of: name))
    } else {
      let key = name.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
      guard !name.contains(UInt8(ascii: "_")), let option = ConnectOption.named(key) else {
        throw CommandLineRequest.Misuse(unknownOption: name, beside: others)
      }
      // Switches mean `true` without a value.
      let isSwitch = key.equals("mptcp") || key.equals("interleave")
      let text =
        isSwitch
        ? arguments.attachedValue() ?? [UInt8]("true") : try arguments.value(of: name)
      guard option.set(Self.value(text), in: &options) else {
        var message = TextBuffer()
        message.append("'--")
        message.append(name)
        message.append("' must be ")
        message.append(option.allowed.bytes)
        message.append("; got '")
        message.append(escaped: text)
        message.append("'")
        throw CommandLineRequest.Misuse(message)
      }
    }
  }

  private static func value(_ text: [UInt8]) -> OptionValue {
    if text.equals("true") { return .boolean(true) }
    if text.equals("false") { return .boolean(false) }
    if let whole = Decimal.whole(text) { return .number(Double(whole)) }
    return Decimal.span(seconds: text).map { .span($0) } ?? .text(text)
  }

  /// An address to connect from; named several times, any of them. `false`: the route's choice only.
  private mutating func take(local text: [UInt8]) throws(CommandLineRequest.Misuse) {
    if text.equals("false") {
      options.locals = .routeOnly
      return
    }
    guard let address = EndpointText.parseAddress(text, scopes: SystemScopes()) else {
      throw CommandLineRequest.Misuse("", quoting: text, " is no IP address of this machine")
    }
    let endpoint = Endpoint(address.unmapped, port: 0)
    if case .these(let before) = options.locals {
      options.locals = .these(before + [endpoint])
    } else {
      options.locals = .these([endpoint])
    }
  }
}

extension CommandLineRequest.Misuse {
  /// Names the nearest known option.
  init(unknownOption name: [UInt8], beside others: [StaticString]) {
    var text = TextBuffer()
    text.append("unknown option '--")
    text.append(escaped: name)
    text.append("'")
    let key = name.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    let known =
      ConnectOption.table.map { $0.name } + [
        "allow", "deny", "interface", "local_address", "trace",
      ] + others
    if let near = NearestName.nearest(to: key, in: known) {
      text.append("; did you mean '--")
      text.append([UInt8](near).map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 })
      text.append("'?")
    }
    self.init(text)
  }

  /// The help of the options that every connect has.
  static let connectOptionsHelp: StaticString = """
    Options of the connect (times in seconds):
      --timeout S           the deadline for everything
      --attempt-timeout S   the bound on one attempt
      --attempt-delay S     silence before the next attempt starts (0.01 to 60)
      --minimum-delay S     the floor of that delay (0.01 to 60)
      --pace WORD           accelerating, steady, parallel, sequential
      --order WORD          likely, given, random (with --seed N)
      --hedge S             a second socket to a single silent remote
      --interleave[=BOOL]   families take turns
      --in-flight N         attempts at once (1 to 4096)
      --family WORD         any, inet, inet6, unix
      --mptcp               try Multipath TCP
      --interface NAME      connect through this device
      --local-address IP    connect from this address (may be repeated);
                            false: from the route's choice
      --allow DEST          connect to DEST (10.0.0.0/8:443, loopback, any, ...)
      --deny DEST           do not; the first of these two that matches decides
      --trace               write every event to stderr

    """
}
