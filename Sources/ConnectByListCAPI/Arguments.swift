import CConnectByList
import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// The caller's list, copied. Throws `.invalidArgument` for a count out of range and for an entry
/// that is none; that one's index is told.
func addressList(
  _ given: UnsafePointer<connect_by_list_addresses>?, _ options: CallOptions
) throws(Errno) -> AddressList {
  guard let given else { throw .invalidArgument }
  let count = Int(given.pointee.count)
  guard 1...AddressList.countMax ~= count else { throw .invalidArgument }
  // The flexible array at the structure's end, which Swift does not see (layout.c).
  let addresses = UnsafeRawPointer(given + 1)
    .assumingMemoryBound(to: connect_by_list_address.self)
  var list = AddressList(hashSecret: .ofThisProcess)
  for index in 0..<count {
    do throws(Errno) {
      list.append(try entry(addresses[index]))
    } catch {
      options.tell(badEntry: CInt(index))
      throw error
    }
  }
  return list
}

/// One address as an entry. Another family that lists can hold is added here.
private func entry(_ given: connect_by_list_address) throws(Errno) -> Entry {
  var read = cbl_posix_endpoint()
  guard let address = given.address,
    cbl_posix_endpoint_from_sockaddr(address, Int(given.length), &read) == 0,
    let endpoint = Endpoint(read)
  else { throw .invalidArgument }
  guard endpoint.port != 0, !endpoint.address.isUnspecified, !endpoint.address.isMulticast,
    !endpoint.address.isBroadcast
  else { throw .invalidArgument }
  // As the kernel has it: a scope counts with link-local addresses only.
  return .endpoint(endpoint.address.needsScope ? endpoint : endpoint.withScope(0))
}

/// Throws `.invalidArgument` for a negative one, and for microseconds out of range.
func span(_ given: timeval) throws(Errno) -> TimeSpan {
  guard given.tv_sec >= 0, 0...999_999 ~= given.tv_usec else { throw .invalidArgument }
  return .seconds(Int64(given.tv_sec)) + .microseconds(Int64(given.tv_usec))
}

/// A caller's buffer for an address, with its size in and the address's size out.
struct AddressRoom {
  private let address: UnsafeMutableRawPointer?
  private let length: UnsafeMutablePointer<socklen_t>?

  init(_ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?) {
    self.address = UnsafeMutableRawPointer(address)
    self.length = length
  }

  /// Throws `.badAddress` where an address of the socket's family would not fit.
  func check(for socket: CallerSocket) throws(Errno) {
    guard address != nil else { return }
    guard let length, Int(length.pointee) >= cbl_posix_sockaddr_size(socket.domain) else {
      throw .badAddress
    }
  }

  /// Writes an address as a socket of this family has it. Nothing where nobody wants it.
  func put(_ endpoint: Endpoint, _ socket: CallerSocket) {
    guard let address, let length else { return }
    let own = socket.domain == CInt(CBL_POSIX_AF_INET6) ? endpoint.mapped : endpoint
    length.pointee = socklen_t(cbl_posix_endpoint_to_sockaddr(cbl_posix_endpoint(own), address))
  }
}

/// The options structure, of which a caller may have an older or a newer version.
struct CallOptions {
  private let given: UnsafePointer<connect_by_list_options>?
  private let size: Int

  /// More than this is no size but a mistake.
  private static let sizeMax = 4096

  init(_ given: UnsafePointer<connect_by_list_options>?) {
    self.given = given
    size = given?.pointee.size ?? 0
  }

  /// Where to put the index of a bad entry; `nil` where the caller has no such field.
  private var badEntry: UnsafeMutablePointer<CInt>? {
    guard let given, MemoryLayout<connect_by_list_options>.size...Self.sizeMax ~= size else {
      return nil
    }
    return given.pointee.bad_entry
  }

  func tell(badEntry index: CInt) { badEntry?.pointee = index }

  /// -1: none. Throws `.invalidArgument` for a structure that cannot be understood,
  /// `.badDescriptor` for a descriptor that is not open.
  func cancelDescriptor() throws(Errno) -> CInt {
    guard let given else { return -1 }
    guard MemoryLayout<Int>.size...Self.sizeMax ~= size else { throw .invalidArgument }
    // Whole fields only: an older caller's structure ends where one of ours begins.
    let cancelEnd = MemoryLayout<Int>.size + MemoryLayout<CInt>.size
    let flagsEnd = cancelEnd + MemoryLayout<CInt>.size
    if size >= flagsEnd && given.pointee.flags != 0 { throw .invalidArgument }
    let known = MemoryLayout<connect_by_list_options>.size
    if size > known {
      let unknown = UnsafeRawBufferPointer(start: given, count: size)[known...]
      guard unknown.allSatisfy({ $0 == 0 }) else { throw .invalidArgument }
    }
    guard size >= cancelEnd else { return -1 }
    let number = given.pointee.cancel_fd
    guard number >= -1 else { throw .badDescriptor }
    return number
  }
}
