import ConnectByListCore

/// The sockets of the attempts in flight. The table owns each of them until `take` hands it out, and closes
/// the rest when it is destroyed.
///
/// It has a buffer of its own because `Array` cannot hold noncopyable values. Searches are linear: at most
/// `in_flight` attempts are in it, 64 by default.
struct AttemptTable: ~Copyable {
  private var ids: [AttemptID] = []
  /// Parallel to `ids`; the first `ids.count` are initialised.
  private var descriptors = UnsafeMutableBufferPointer<Descriptor>(start: nil, count: 0)

  init() {}

  deinit {
    for index in 0..<count { (descriptors.baseAddress! + index).deinitialize(count: 1) }
    descriptors.deallocate()
  }

  var count: Int { ids.count }

  mutating func insert(_ id: AttemptID, _ descriptor: consuming Descriptor) {
    if count == descriptors.count { grow() }
    (descriptors.baseAddress! + count).initialize(to: descriptor)
    ids.append(id)
  }

  /// Moves the descriptor of an attempt out; `nil` where it is not in flight.
  mutating func take(_ id: AttemptID) -> Descriptor? {
    guard let index = ids.firstIndex(of: id) else { return nil }
    let slot = descriptors.baseAddress! + index
    let descriptor = slot.move()
    let last = count - 1
    if index != last { slot.moveInitialize(from: descriptors.baseAddress! + last, count: 1) }
    ids.swapAt(index, last)
    ids.removeLast()
    return descriptor
  }

  /// The number of an attempt's descriptor; the table keeps ownership.
  func number(of id: AttemptID) -> CInt? {
    ids.firstIndex(of: id).map { descriptors[$0].number }
  }

  /// The only attempt in flight.
  var only: (id: AttemptID, number: CInt)? {
    count == 1 ? (ids[0], descriptors[0].number) : nil
  }

  private mutating func grow() {
    let larger = UnsafeMutableBufferPointer<Descriptor>.allocate(capacity: max(1, count * 2))
    if count > 0 {
      larger.baseAddress!.moveInitialize(from: descriptors.baseAddress!, count: count)
    }
    descriptors.deallocate()
    descriptors = larger
  }
}
