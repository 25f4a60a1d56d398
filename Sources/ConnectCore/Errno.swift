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
  public var name: StaticString? { Self.row(of: number)?.name }

  /// What it means in plain words, for messages.
  public var words: StaticString { Self.row(of: number)?.words ?? "unknown error" }

  /// The error with this name; `nil` where the table has none.
  public init?(name: [UInt8]) {
    guard let row = Self.table.first(where: { name.equals($0.name) }) else { return nil }
    self.init(row.number)
  }

  private struct Row {
    let number: Int32
    let name: StaticString
    let words: StaticString

    // Inlined, so that the compiler lays the table out as data.
    @inline(__always)
    init(_ number: Int32, _ name: StaticString, _ words: StaticString) {
      self.number = number
      self.name = name
      self.words = words
    }
  }

  private static func row(of number: Int32) -> Row? { table.first { $0.number == number } }

  /// Every number that the table has, for the test that compares it with the system's headers.
  public static var knownNumbers: [Int32] { table.map { $0.number } }

  private static let table: [Row] = [
    Row(1, "EPERM", "operation not permitted"),
    Row(2, "ENOENT", "no such file or directory"),
    Row(4, "EINTR", "interrupted"),
    Row(5, "EIO", "input/output error"),
    Row(9, "EBADF", "bad file descriptor"),
    Row(11, "EAGAIN", "resource temporarily unavailable"),
    Row(12, "ENOMEM", "out of memory"),
    Row(13, "EACCES", "permission denied"),
    Row(14, "EFAULT", "bad address"),
    Row(16, "EBUSY", "busy"),
    Row(19, "ENODEV", "no such device"),
    Row(20, "ENOTDIR", "not a directory"),
    Row(22, "EINVAL", "invalid argument"),
    Row(23, "ENFILE", "too many open files in the system"),
    Row(24, "EMFILE", "too many open files"),
    Row(32, "EPIPE", "broken pipe"),
    Row(36, "ENAMETOOLONG", "name too long"),
    Row(38, "ENOSYS", "not implemented by this kernel"),
    Row(71, "EPROTO", "protocol error"),
    Row(75, "EOVERFLOW", "value too large"),
    Row(88, "ENOTSOCK", "not a socket"),
    Row(90, "EMSGSIZE", "message too long"),
    Row(91, "EPROTOTYPE", "wrong protocol type for socket"),
    Row(92, "ENOPROTOOPT", "protocol not available"),
    Row(93, "EPROTONOSUPPORT", "protocol not supported"),
    Row(95, "EOPNOTSUPP", "operation not supported"),
    Row(97, "EAFNOSUPPORT", "address family not supported"),
    Row(98, "EADDRINUSE", "address in use"),
    Row(99, "EADDRNOTAVAIL", "address not available"),
    Row(100, "ENETDOWN", "network is down"),
    Row(101, "ENETUNREACH", "network unreachable"),
    Row(103, "ECONNABORTED", "connection aborted"),
    Row(104, "ECONNRESET", "connection reset"),
    Row(105, "ENOBUFS", "no buffer space"),
    Row(106, "EISCONN", "already connected"),
    Row(107, "ENOTCONN", "not connected"),
    Row(110, "ETIMEDOUT", "timed out"),
    Row(111, "ECONNREFUSED", "connection refused"),
    Row(112, "EHOSTDOWN", "host is down"),
    Row(113, "EHOSTUNREACH", "host unreachable"),
    Row(114, "EALREADY", "already connecting"),
    Row(115, "EINPROGRESS", "in progress"),
    Row(125, "ECANCELED", "cancelled"),
    Row(-2, "EAI_NONAME", "name not known"),
    Row(-3, "EAI_AGAIN", "temporary failure in name resolution"),
    Row(-4, "EAI_FAIL", "name resolution failed"),
    Row(-5, "EAI_NODATA", "name has no address"),
    Row(-6, "EAI_FAMILY", "address family not supported by the resolver"),
    Row(-8, "EAI_SERVICE", "service not known"),
    Row(-9, "EAI_ADDRFAMILY", "name has no address of the family"),
    Row(-10, "EAI_MEMORY", "resolver out of memory"),
    Row(-11, "EAI_SYSTEM", "system error in the resolver"),
  ]
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
