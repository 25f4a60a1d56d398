/// What went wrong, as a number that says it in one word: an errno of Linux (positive) or an EAI
/// code of the resolver (negative, as glibc numbers them).
///
/// The numbers are those of Linux's asm-generic, which x86-64, arm64 and RISC-V share; a test
/// compares each with the system's. They stand here because the core, which has no libc, tells a
/// refusal from silence, and the simulator prints the names.
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

  /// The resolver's "name or service not known".
  public static let nameNotKnown = Errno(-2)
  public static let resolverTryAgain = Errno(-3)
  /// The resolver's "no address associated with this name".
  public static let nameWithoutAddress = Errno(-5)

  /// The name that scripts see, `ECONNREFUSED`; `nil` for a number that the table does not have.
  @inline(never)
  public var name: StaticString? { row?.name }

  /// What it means in plain words, for messages.
  @inline(never)
  public var words: StaticString { row?.words ?? "unknown error" }

  /// The error with this name; `nil` where the table has none.
  public init?(name: [UInt8]) {
    for number in Self.numbers {
      self.init(number)
      if let known = self.name, name.equals(known) { return }
    }
    return nil
  }

  /// Every number that the table has, for the test that compares it with the system's headers.
  public static var knownNumbers: [Int32] { numbers.filter { Errno($0).name != nil } }

  private static let numbers: ClosedRange<Int32> = -11...125

  private struct Row {
    let name: StaticString
    let words: StaticString

    @inline(__always)
    init(_ name: StaticString, _ words: StaticString) {
      self.name = name
      self.words = words
    }
  }

  /// The table. A switch and not an array: of data each text has a pointer, which costs the loadable
  /// module more than what it does in code, for it has to be relocated. Each of those who read it keeps
  /// the half that it reads.
  @inline(__always)
  private var row: Row? {
    switch number {
    case 1: Row("EPERM", "operation not permitted")
    case 2: Row("ENOENT", "no such file or directory")
    case 4: Row("EINTR", "interrupted")
    case 5: Row("EIO", "input/output error")
    case 9: Row("EBADF", "bad file descriptor")
    case 11: Row("EAGAIN", "resource temporarily unavailable")
    case 12: Row("ENOMEM", "out of memory")
    case 13: Row("EACCES", "permission denied")
    case 14: Row("EFAULT", "bad address")
    case 16: Row("EBUSY", "busy")
    case 19: Row("ENODEV", "no such device")
    case 20: Row("ENOTDIR", "not a directory")
    case 22: Row("EINVAL", "invalid argument")
    case 23: Row("ENFILE", "too many open files in the system")
    case 24: Row("EMFILE", "too many open files")
    case 32: Row("EPIPE", "broken pipe")
    case 36: Row("ENAMETOOLONG", "name too long")
    case 38: Row("ENOSYS", "not implemented by this kernel")
    case 71: Row("EPROTO", "protocol error")
    case 75: Row("EOVERFLOW", "value too large")
    case 88: Row("ENOTSOCK", "not a socket")
    case 90: Row("EMSGSIZE", "message too long")
    case 91: Row("EPROTOTYPE", "wrong protocol type for socket")
    case 92: Row("ENOPROTOOPT", "protocol not available")
    case 93: Row("EPROTONOSUPPORT", "protocol not supported")
    case 95: Row("EOPNOTSUPP", "operation not supported")
    case 97: Row("EAFNOSUPPORT", "address family not supported")
    case 98: Row("EADDRINUSE", "address in use")
    case 99: Row("EADDRNOTAVAIL", "address not available")
    case 100: Row("ENETDOWN", "network is down")
    case 101: Row("ENETUNREACH", "network unreachable")
    case 103: Row("ECONNABORTED", "connection aborted")
    case 104: Row("ECONNRESET", "connection reset")
    case 105: Row("ENOBUFS", "no buffer space")
    case 106: Row("EISCONN", "already connected")
    case 107: Row("ENOTCONN", "not connected")
    case 110: Row("ETIMEDOUT", "timed out")
    case 111: Row("ECONNREFUSED", "connection refused")
    case 112: Row("EHOSTDOWN", "host is down")
    case 113: Row("EHOSTUNREACH", "host unreachable")
    case 114: Row("EALREADY", "already connecting")
    case 115: Row("EINPROGRESS", "in progress")
    case 125: Row("ECANCELED", "cancelled")
    case -2: Row("EAI_NONAME", "name not known")
    case -3: Row("EAI_AGAIN", "temporary failure in name resolution")
    case -4: Row("EAI_FAIL", "name resolution failed")
    case -5: Row("EAI_NODATA", "name has no address")
    case -6: Row("EAI_FAMILY", "address family not supported by the resolver")
    case -8: Row("EAI_SERVICE", "service not known")
    case -9: Row("EAI_ADDRFAMILY", "name has no address of the family")
    case -10: Row("EAI_MEMORY", "resolver out of memory")
    case -11: Row("EAI_SYSTEM", "system error in the resolver")
    default: nil
    }
  }
}

extension TextBuffer {
  /// The name of an error, or `errno 77` for one without.
  public mutating func append(_ errno: Errno) {
    if let name = errno.name {
      append(name)
    } else {
      append("errno ")
      append(decimal: Int(errno.number))
    }
  }
}
