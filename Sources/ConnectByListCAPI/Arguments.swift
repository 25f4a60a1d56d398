import CConnectByList
import ConnectByList
import ConnectByListCore

/// A copy of the caller's list. Throws `.invalidArgument` for a count out of range and for a bad entry,
/// whose index it reports.
func addressList(
  _ given: UnsafePointer<connect_by_list_addresses>?, _ options: CallOptions
) throws(Errno) -> AddressList {
  guard let given else { throw .invalidArgument }
  let count = Int(given.pointee.count)
  guard 1...AddressList.countMax ~= count else { throw .invalidArgument }
  // Swift does not import the flexible array at the structure's end (layout.c).
  let addresses = UnsafeRawPointer(given + 1)
    .assumingMemoryBound(to: connect_by_list_address.self)
  var list = AddressList(hashSecret: .ofThisProcess)
  for index in 0..<count {
    do throws(Errno) {
      list.append(try entry(addresses[index]))
    } catch {
      options.report(badEntry: CInt(index))
      throw error
    }
  }
  return list
}

/// The entry of one address. A further family is added here.
private func entry(_ given: connect_by_list_address) throws(Errno) -> Entry {
  guard let address = given.address,
    let endpoint = Endpoint(sockaddr: address, size: Int(given.length))
  else { throw .invalidArgument }
  guard endpoint.port != 0, endpoint.address.canBeConnectedTo else { throw .invalidArgument }
  // Like the kernel, it ignores the scope of other than link-local addresses.
  return .endpoint(endpoint.address.needsScope ? endpoint : endpoint.withScope(0))
}

/// Throws `.invalidArgument` for a negative time, and for microseconds out of range.
func span(_ given: timeval) throws(Errno) -> TimeSpan {
  guard given.tv_sec >= 0, 0...999_999 ~= given.tv_usec else { throw .invalidArgument }
  return .seconds(Int64(given.tv_sec)) + .microseconds(Int64(given.tv_usec))
}

/// A caller's buffer for an address. `length`: in, the buffer's size; out, the address's.
struct AddressRoom {
  private let address: UnsafeMutableRawPointer?
  private let length: UnsafeMutablePointer<socklen_t>?

  init(_ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?) {
    self.address = UnsafeMutableRawPointer(address)
    self.length = length
  }

  /// Throws `.badAddress` where an address of the socket's family does not fit.
  func check(for socket: CallerSocket) throws(Errno) {
    guard address != nil else { return }
    guard let length, Int(length.pointee) >= Endpoint.sockaddrSize(ofDomain: socket.domain) else {
      throw .badAddress
    }
  }

  /// Writes an address in the form of the socket's family. Does nothing without a buffer.
  func put(_ endpoint: Endpoint, _ socket: CallerSocket) {
    guard let address, let length else { return }
    let own = socket.domain == AF_INET6 ? endpoint.mapped : endpoint
    length.pointee = socklen_t(own.store(intoSockaddr: address))
  }
}

/// The options structure. The caller may be compiled with an older or a newer version of it.
struct CallOptions {
  private let given: UnsafePointer<connect_by_list_options>?
  private let size: Int

  /// A larger size is a mistake of the caller.
  private static let sizeMax = 4096

  // The ends of the fields, because an older caller's structure may end before any of them.
  private static let cancelEnd = MemoryLayout<Int>.size + MemoryLayout<CInt>.size
  private static let flagsEnd = cancelEnd + MemoryLayout<CInt>.size
  private static let badEntryEnd = flagsEnd + MemoryLayout<Int>.size
  private static let policyEnd = badEntryEnd + MemoryLayout<Int>.size

  /// The longest text of a policy, in bytes.
  private static let policyMax = 65536

  init(_ given: UnsafePointer<connect_by_list_options>?) {
    self.given = given
    size = given?.pointee.size ?? 0
  }

  /// Where the index of a bad entry goes; `nil`: the caller did not ask for it, or has an older version.
  private var badEntry: UnsafeMutablePointer<CInt>? {
    guard let given, Self.badEntryEnd...Self.sizeMax ~= size else { return nil }
    return given.pointee.bad_entry
  }

  func report(badEntry index: CInt) { badEntry?.pointee = index }

  /// The cancel descriptor; -1: none. Throws `.invalidArgument` for a bad size, for flags and for unknown
  /// fields that are not 0, `.badDescriptor` for a number below -1.
  func cancelDescriptor() throws(Errno) -> CInt {
    guard let given else { return -1 }
    guard MemoryLayout<Int>.size...Self.sizeMax ~= size else { throw .invalidArgument }
    if size >= Self.flagsEnd && given.pointee.flags != 0 { throw .invalidArgument }
    let known = MemoryLayout<connect_by_list_options>.size
    if size > known {
      let unknown = UnsafeRawBufferPointer(start: given, count: size)[known...]
      guard unknown.allSatisfy({ $0 == 0 }) else { throw .invalidArgument }
    }
    guard size >= Self.cancelEnd else { return -1 }
    let number = given.pointee.cancel_fd
    guard number >= -1 else { throw .badDescriptor }
    return number
  }

  /// The policy; everything is allowed where the caller gives none. Throws `.invalidArgument` for a malformed
  /// one.
  func policy() throws(Errno) -> EgressPolicy {
    guard let given, size >= Self.policyEnd, let text = given.pointee.policy else {
      return .unrestricted
    }
    var bytes: [UInt8] = []
    while text[bytes.count] != 0 {
      guard bytes.count < Self.policyMax else { throw .invalidArgument }
      bytes.append(UInt8(bitPattern: text[bytes.count]))
    }
    do throws(EgressPolicyError) { return try EgressPolicy(parsing: bytes) } catch {
      throw .invalidArgument
    }
  }
}
