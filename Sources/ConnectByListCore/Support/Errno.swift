/// An error as one number: an errno of Linux (above 0), or a code of getaddrinfo (below 0, as glibc
/// numbers them).
///
/// The numbers are those of Linux's asm-generic headers, which x86-64, arm64 and RISC-V share. The core
/// has no libc, so it states them itself; a test compares all of them with the system's.
public struct Errno: Error, Hashable, Sendable {
  public let number: Int32

  public init(_ number: Int32) { self.number = number }

  public static let notPermitted = Errno(1)
  public static let interrupted = Errno(4)
  public static let badDescriptor = Errno(9)
  public static let tryAgain = Errno(11)
  public static let outOfMemory = Errno(12)
  public static let accessDenied = Errno(13)
  public static let badAddress = Errno(14)
  public static let busy = Errno(16)
  public static let noSuchDevice = Errno(19)
  public static let invalidArgument = Errno(22)
  public static let tooManyOpenInSystem = Errno(23)
  public static let tooManyOpen = Errno(24)
  public static let brokenPipe = Errno(32)
  public static let notSupported = Errno(38)
  public static let notASocket = Errno(88)
  public static let messageTooLong = Errno(90)
  public static let noProtocolOption = Errno(92)
  public static let protocolNotSupported = Errno(93)
  public static let operationNotSupported = Errno(95)
  public static let familyNotSupported = Errno(97)
  public static let addressInUse = Errno(98)
  public static let addressNotAvailable = Errno(99)
  public static let networkUnreachable = Errno(101)
  public static let connectionAborted = Errno(103)
  public static let connectionReset = Errno(104)
  public static let noBufferSpace = Errno(105)
  public static let isConnected = Errno(106)
  public static let notConnected = Errno(107)
  public static let timedOut = Errno(110)
  public static let connectionRefused = Errno(111)
  public static let hostUnreachable = Errno(113)
  public static let alreadyConnecting = Errno(114)
  public static let inProgress = Errno(115)
  public static let cancelled = Errno(125)

  /// EAI_NONAME: the name or the service is not known.
  public static let nameNotKnown = Errno(-2)
  /// EAI_AGAIN: no answer from a name server.
  public static let resolverTryAgain = Errno(-3)
  /// EAI_SERVICE: the service is not known.
  public static let serviceNotKnown = Errno(-8)
  /// EAI_NODATA: the name has no address.
  public static let nameWithoutAddress = Errno(-5)
  /// EAI_IDN_ENCODE: the internationalized name cannot be encoded.
  public static let nameNotEncoded = Errno(-105)

  /// The constant's name, `ECONNREFUSED`; `nil` for a number that is no error of Linux or getaddrinfo.
  public var name: StaticString? { row?.name }

  /// What the error means, in plain words, for messages; the same in every locale.
  public var words: StaticString { row?.words ?? "unknown error" }

  /// The error with this name; `nil` where there is none. `EWOULDBLOCK`, `EDEADLOCK` and `ENOTSUP` are
  /// second names of EAGAIN, EDEADLK and EOPNOTSUPP.
  public init?(name: [UInt8]) {
    if let number = Self.knownNumbers.first(where: { name.equals(Errno($0).row!.name) }) {
      self.init(number)
    } else if name.equals("EWOULDBLOCK") {
      self = .tryAgain
    } else if name.equals("EDEADLOCK") {
      self.init(35)
    } else if name.equals("ENOTSUP") {
      self = .operationNotSupported
    } else {
      return nil
    }
  }

  /// Every number that has a name.
  public static var knownNumbers: [Int32] { numbers.filter { Errno($0).row != nil } }
}

extension TextBuffer {
  /// The name of an error, or `errno 4095` for a number without one.
  public mutating func append(_ errno: Errno) {
    if let name = errno.name {
      append(name)
    } else {
      append("errno ")
      append(decimal: Int(errno.number))
    }
  }
}
