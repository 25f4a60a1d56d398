// A Swift program that links the C library's archive, for check-library. The archive contains parts of the
// Embedded Swift runtime. The program uses the ordinary runtime (classes, metadata, dictionaries, existentials,
// casts, tasks) before, while and after the library connects.
import CConnectByList
import Glibc

protocol Shape: Sendable { var name: String { get } }
final class Circle: Shape { let name = "circle" }
struct Square: Shape { let name = "square" }

enum Failure: Error { case wrong(String) }

/// Uses each part of the runtime that the library contains too: allocation, reference counts, arrays,
/// hashing, casts, errors.
func useTheRuntime() async throws {
  var shapes: [any Shape] = []
  for index in 0..<1000 { shapes.append(index.isMultiple(of: 2) ? Circle() : Square()) }
  var counts: [String: Int] = [:]
  for shape in shapes { counts[shape.name, default: 0] += 1 }
  guard counts == ["circle": 500, "square": 500] else { throw Failure.wrong("\(counts)") }
  weak var gone: Circle?
  do {
    let circle = Circle()
    gone = circle
    guard gone != nil, (circle as any Shape) as? Square == nil else { throw Failure.wrong("cast") }
  }
  guard gone == nil else { throw Failure.wrong("an object was not freed") }
  let sum = await withTaskGroup(of: Int.self) { group in
    for index in 0..<100 { group.addTask { Set(0...index).count } }
    return await group.reduce(0, +)
  }
  guard sum == 5050 else { throw Failure.wrong("\(sum)") }
}

/// Connects to a listener of its own; returns whether it did.
func connects() -> Bool {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
  let stream = Int32(SOCK_STREAM.rawValue)
  let (listener, fd) = (socket(AF_INET, stream, 0), socket(AF_INET, stream, 0))
  defer {
    close(listener)
    close(fd)
  }
  return withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      guard bind(listener, address, size) == 0, listen(listener, 8) == 0,
        getsockname(listener, address, &size) == 0
      else { return false }
      let header = MemoryLayout<connect_by_list_addresses>.size
      let list = UnsafeMutableRawPointer.allocate(
        byteCount: header + MemoryLayout<connect_by_list_address>.stride, alignment: 8)
      defer { list.deallocate() }
      list.storeBytes(of: 1, as: CInt.self)
      list.storeBytes(
        of: connect_by_list_address(address: address, length: size), toByteOffset: header,
        as: connect_by_list_address.self)
      var timeout = timeval(tv_sec: 5, tv_usec: 0)
      let code = connect_by_list(
        fd, list.assumingMemoryBound(to: connect_by_list_addresses.self), nil, nil, nil, nil,
        &timeout, nil)
      return code == 0 && getpeername(fd, address, &size) == 0
    }
  }
}

@main
struct ArchiveInSwift {
  static func main() async throws {
    try await useTheRuntime()
    for _ in 0..<100 { guard connects() else { throw Failure.wrong("no connection") } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<8 {
        group.addTask {
          if index.isMultiple(of: 2) { try await useTheRuntime() } else { _ = connects() }
        }
      }
      try await group.waitForAll()
    }
    try await useTheRuntime()
  }
}
