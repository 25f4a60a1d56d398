import ConnectByListCore

extension EgressPolicy.Action {
  /// The action of `--allow` and `--deny`; `nil` for another option.
  init?(option: [UInt8]) {
    if option.equals("--allow") {
      self = .allow
    } else if option.equals("--deny") {
      self = .deny
    } else {
      return nil
    }
  }
}

extension EgressPolicy {
  /// Adds the destination that is an option's value.
  mutating func take(
    _ action: Action, _ target: [UInt8], of option: [UInt8]
  ) throws(CommandLineRequest.Misuse) {
    do throws(EgressPolicyError) { try append(action, parsing: target) } catch {
      var text = TextBuffer()
      text.append(option)
      text.append(" ")
      text.append(error.message.bytes)
      throw CommandLineRequest.Misuse(text)
    }
  }
}
