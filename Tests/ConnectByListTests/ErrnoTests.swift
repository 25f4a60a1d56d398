import ConnectByListCore
import Glibc
import Testing

@testable import ConnectByList

/// The core has errno numbers of its own, for it has no libc.
@Suite struct ErrnoTests {
  private static let system: [String: Int32] = [
    "EPERM": EPERM, "ENOENT": ENOENT, "EINTR": EINTR, "EIO": EIO, "EBADF": EBADF,
    "EAGAIN": EAGAIN, "ENOMEM": ENOMEM, "EACCES": EACCES, "EFAULT": EFAULT, "EBUSY": EBUSY,
    "ENODEV": ENODEV, "ENOTDIR": ENOTDIR, "EINVAL": EINVAL, "ENFILE": ENFILE, "EMFILE": EMFILE,
    "EPIPE": EPIPE, "ENAMETOOLONG": ENAMETOOLONG, "ENOSYS": ENOSYS, "EPROTO": EPROTO,
    "EOVERFLOW": EOVERFLOW, "ENOTSOCK": ENOTSOCK, "EMSGSIZE": EMSGSIZE,
    "EPROTOTYPE": EPROTOTYPE, "ENOPROTOOPT": ENOPROTOOPT, "EPROTONOSUPPORT": EPROTONOSUPPORT,
    "EOPNOTSUPP": EOPNOTSUPP, "EAFNOSUPPORT": EAFNOSUPPORT, "EADDRINUSE": EADDRINUSE,
    "EADDRNOTAVAIL": EADDRNOTAVAIL, "ENETDOWN": ENETDOWN, "ENETUNREACH": ENETUNREACH,
    "ECONNABORTED": ECONNABORTED, "ECONNRESET": ECONNRESET, "ENOBUFS": ENOBUFS,
    "EISCONN": EISCONN, "ENOTCONN": ENOTCONN, "ETIMEDOUT": ETIMEDOUT,
    "ECONNREFUSED": ECONNREFUSED, "EHOSTDOWN": EHOSTDOWN, "EHOSTUNREACH": EHOSTUNREACH,
    "EALREADY": EALREADY, "EINPROGRESS": EINPROGRESS, "ECANCELED": ECANCELED,
    "EAI_NONAME": EAI_NONAME, "EAI_AGAIN": EAI_AGAIN, "EAI_FAIL": EAI_FAIL, "EAI_NODATA": -5,
    "EAI_FAMILY": EAI_FAMILY, "EAI_SERVICE": EAI_SERVICE, "EAI_MEMORY": EAI_MEMORY,
    "EAI_SYSTEM": EAI_SYSTEM, "EAI_ADDRFAMILY": -9,
  ]

  @Test func `every number of the table is the system's`() {
    for number in Errno.knownNumbers {
      let name = Errno(number).name.map { "\($0)" }
      #expect(name.flatMap { Self.system[$0] } == number, "\(name ?? "no name") is \(number)")
    }
    #expect(Errno.knownNumbers.count == Set(Errno.knownNumbers).count)
  }

  @Test func `a name leads back to its number`() {
    for number in Errno.knownNumbers {
      let name = "\(Errno(number).name!)"
      #expect(Errno(name: Array(name.utf8)) == Errno(number))
    }
    #expect(Errno(name: Array("ENONSENSE".utf8)) == nil)
  }

  @Test func `the names that the code uses are in the table`() {
    let used: [Errno] = [
      .notPermitted, .interrupted, .badDescriptor, .tryAgain, .outOfMemory, .accessDenied,
      .badAddress, .busy, .noSuchDevice, .invalidArgument, .tooManyOpenInSystem, .tooManyOpen,
      .brokenPipe, .notSupported, .notASocket, .messageTooLong, .noProtocolOption,
      .protocolNotSupported, .operationNotSupported, .familyNotSupported, .addressInUse,
      .addressNotAvailable, .networkUnreachable, .connectionAborted, .connectionReset,
      .noBufferSpace, .isConnected, .notConnected, .timedOut, .connectionRefused,
      .hostUnreachable, .alreadyConnecting, .inProgress, .cancelled, .nameNotKnown,
    ]
    for errno in used { #expect(errno.name != nil, "\(errno.number)") }
  }

  @Test func `every error has words of its own, the same in every locale`() {
    let words = Errno.knownNumbers.map { "\(Errno($0).words)" }
    #expect(Set(words).count == words.count)
    for text in words { #expect(!text.isEmpty && text != "unknown error") }
    #expect("\(Errno(77).words)" == "unknown error")
  }
}
