/// Why the text of an entry was rejected.
public struct EntryError: Error, Equatable {
  public let reason: Reason

  public init(_ reason: Reason) { self.reason = reason }

  /// One case for each defect.
  public enum Reason: UInt8, Equatable, Sendable {
    case empty
    case missingHost
    case missingPort
    /// `2001:db8::1:80`: all of it is an IPv6 address.
    case missingPortAfterIPv6
    /// `192.0.2.1:`. The default port is not used: a port was probably left out by mistake.
    case emptyPort
    case portZero
    case portOutOfRange
    case badPort
    case unclosedBracket
    case textAfterBracket
    /// `[name]:80`, `[192.0.2.1]:80`, `[1:2]:80`.
    case notIPv6
    /// `1:2:3:4:5:6:7:8:80`: an IPv6 address up to the last colon.
    case ipv6WithoutBrackets
    case tooManyColons
    /// NUL, another control byte, or a space.
    case controlCharacter
    case badCharacter
    case emptyLabel
    case labelTooLong
    case nameTooLong
    /// 127.1, 2130706433, 0177.0.0.1, 1.2.3.4.5, foo.0x7f.
    case numericHost
    case emptyScope
    case colonInScope
    case unknownScope
    case scopeNotAllowed
    case unspecified
    case multicast
    case broadcast
    case unixEmpty
    case unixTooLong
    case unixNUL
    /// An address where the name of a service is wanted.
    case serviceIsAddress
  }

  /// The defect in words, to follow the entry's text and a colon.
  public var message: StaticString {
    switch reason {
    case .empty: "the entry is empty"
    case .missingHost: "no host"
    case .missingPort: "no port, and there is no default port"
    case .missingPortAfterIPv6: "no port; an IPv6 address and its port are written [address]:port"
    case .emptyPort: "the port is empty"
    case .portZero: "port is 0"
    case .portOutOfRange: "port is above 65535"
    case .badPort: "the port is neither a number nor the name of a service"
    case .unclosedBracket: "the bracket is not closed"
    case .textAfterBracket: "unexpected text after the closing bracket"
    case .notIPv6: "the text in brackets is not an IPv6 address"
    case .ipv6WithoutBrackets: "an IPv6 address and its port are written [address]:port"
    case .tooManyColons: "more than one colon, and not an IPv6 address"
    case .controlCharacter: "a space or control character in the host"
    case .badCharacter: "a character that cannot stand in a host"
    case .emptyLabel: "nothing before or between dots in the host name"
    case .labelTooLong: "a label of the host name is longer than 63 bytes"
    case .nameTooLong: "the host name is longer than 253 bytes"
    case .numericHost: "a host that ends in a number must be an IPv4 address of four decimal parts"
    case .emptyScope: "no scope after the percent sign"
    case .colonInScope: "a colon in the scope; with a port it is written [address%scope]:port"
    case .unknownScope: "the scope is neither the name of an interface nor its number"
    case .scopeNotAllowed: "only a link-local IPv6 address can have a scope"
    case .unspecified: "the unspecified address cannot be connected to"
    case .multicast: "a multicast address cannot be connected to"
    case .broadcast: "the broadcast address cannot be connected to"
    case .unixEmpty: "the Unix path is empty"
    case .unixTooLong: "the Unix path is longer than 107 bytes"
    case .unixNUL: "a NUL in the Unix path"
    case .serviceIsAddress: "an address has no SRV records"
    }
  }
}
