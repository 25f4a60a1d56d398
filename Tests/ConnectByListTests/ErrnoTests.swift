import ConnectByListCore
import Glibc
import Testing

@testable import ConnectByList

/// The core has errno numbers of its own, for it has no libc.
@Suite struct ErrnoTests {
  /// The resolver's codes, from glibc's netdb.h; Swift's Glibc does not have them all.
  private static let resolverCodes: [Int32: String] = [
    -1: "EAI_BADFLAGS", -2: "EAI_NONAME", -3: "EAI_AGAIN", -4: "EAI_FAIL", -5: "EAI_NODATA",
    -6: "EAI_FAMILY", -7: "EAI_SOCKTYPE", -8: "EAI_SERVICE", -9: "EAI_ADDRFAMILY",
    -10: "EAI_MEMORY", -11: "EAI_SYSTEM", -12: "EAI_OVERFLOW", -105: "EAI_IDN_ENCODE",
  ]

  private typealias NameOfErrno = @convention(c) (Int32) -> UnsafePointer<CChar>?

  /// `strerrorname_np` (glibc 2.32), which Swift's Glibc does not declare.
  private static func systemName(_ number: Int32) throws -> String? {
    let symbol = try #require(dlsym(nil, "strerrorname_np"))
    return unsafeBitCast(symbol, to: NameOfErrno.self)(number).map { String(cString: $0) }
  }

  @Test func `every error of Linux is in the table, under the system's name`() throws {
    for number in Int32(1)...133 {
      let name = Errno(number).name.map { "\($0)" }
      // Not used by Linux: 41 and 58.
      #expect(try name == Self.systemName(number), "\(number)")
    }
    #expect(Errno.knownNumbers.filter { $0 > 0 }.count == 131)
  }

  @Test func `every code of the resolver is in the table`() {
    let known = Errno.knownNumbers.filter { $0 < 0 }
    #expect(Set(known) == Set(Self.resolverCodes.keys))
    for (number, name) in Self.resolverCodes { #expect("\(Errno(number).name!)" == name) }
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
    #expect("\(Errno(134).words)" == "unknown error")
  }
}
