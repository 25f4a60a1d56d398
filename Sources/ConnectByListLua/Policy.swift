import CConnectByListLua
import ConnectByListCore

/// A policy that a Lua state holds. It does not change: a narrower one replaces it.
public final class PolicyBox: Sendable {
  let policy: EgressPolicy

  public init(_ policy: EgressPolicy) { self.policy = policy }

  /// For `cbl_lua_set_policy`, which takes it over.
  public func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }
}

extension EgressPolicy {
  init(_ object: UnsafeMutableRawPointer?) {
    guard let object else {
      self = .unrestricted
      return
    }
    self = Unmanaged<PolicyBox>.fromOpaque(object).takeUnretainedValue().policy
  }
}

extension Call {
  /// What the host allows the scripts of this state.
  var policy: EgressPolicy { EgressPolicy(pointee.policy) }
}

@c @implementation public func cbl_lua_policy_new(
  _ rules: UnsafePointer<CChar>!, _ message: UnsafeMutablePointer<CChar>!, _ message_size: Int
) -> UnsafeMutableRawPointer! {
  var text: [UInt8] = []
  while rules[text.count] != 0 { text.append(UInt8(bitPattern: rules[text.count])) }
  do throws(EgressPolicyError) {
    return PolicyBox(try EgressPolicy(parsing: text)).retained()
  } catch {
    guard let message, message_size > 0 else { return nil }
    let words = error.message.bytes.prefix(message_size - 1)
    for (index, byte) in words.enumerated() { message[index] = CChar(bitPattern: byte) }
    message[words.count] = 0
    return nil
  }
}

@c @implementation public func cbl_lua_policy_on_loopback(
  _ policy: UnsafeMutableRawPointer!
) -> UnsafeMutableRawPointer! {
  var narrowed = EgressPolicy(policy)
  narrowed.narrowToLoopback()
  return PolicyBox(narrowed).retained()
}

@c @implementation public func cbl_lua_release_policy(_ policy: UnsafeMutableRawPointer!) {
  Unmanaged<PolicyBox>.fromOpaque(policy).release()
}
