import Testing

@testable import ConnectByList

/// How much memory a read buffer allocates, and when it frees it.
@Suite struct ReadBufferTests {
  private let smallest = Int(ReadBuffer.aheadMin)
  private let largest = Int(ReadBuffer.aheadMax)

  @Test func `the largest read-ahead is a quarter of the cache, within bounds`() {
    for (cache, wanted) in [
      (-1, 128), (0, 128), (1, 64), (128, 64), (256, 64), (512, 128), (1024, 256), (64 << 10, 256),
    ] {
      #expect(
        ReadBuffer.aheadMax(cache: cache > 1 ? cache << 10 : cache) == wanted << 10, "\(cache)")
    }
  }

  /// Receives `count` bytes, or as many as fit. Each byte is its offset, modulo 256.
  private func receive(_ count: Int = .max, into buffer: inout ReadBuffer, wanted: Int = 1) {
    let before = buffer.count
    let room = try! buffer.room(for: wanted)
    #expect(room.count > 0 && before + room.count >= min(wanted, ReadBuffer.trustMax))
    let added = min(count, room.count)
    for index in 0..<added { room[index] = UInt8(truncatingIfNeeded: before + index) }
    buffer.didReceive(added)
    #expect(buffer.count == before + added)
  }

  private func takeAll(from buffer: inout ReadBuffer) {
    buffer.start += buffer.count
    buffer.trim()
  }

  @Test func `nothing is allocated before the first read`() {
    #expect(ReadBuffer().capacity == 0)
  }

  @Test func `a stream that fills the room is offered twice as much, up to a bound`() {
    var buffer = ReadBuffer()
    var sizes: [Int] = []
    for _ in 0..<8 {
      receive(into: &buffer)
      sizes.append(buffer.capacity)
      takeAll(from: &buffer)
    }
    #expect(sizes == [8, 16, 32, 64, 128, 256, 256, 256].map { $0 * 1024 })
  }

  @Test func `a read of blocks begins with its own size`() {
    var buffer = ReadBuffer()
    receive(into: &buffer, wanted: 65536)
    #expect(buffer.capacity == 65536)
    takeAll(from: &buffer)
    receive(into: &buffer, wanted: 65536)
    #expect(buffer.capacity == 2 * 65536)
  }

  @Test func `a stream with little data shrinks the buffer in steps`() {
    var buffer = ReadBuffer()
    for _ in 0..<8 {
      receive(into: &buffer)
      takeAll(from: &buffer)
    }
    #expect(buffer.capacity == largest)
    var sizes: [Int] = []
    for _ in 0..<8 {
      receive(100, into: &buffer)
      sizes.append(buffer.capacity)
      takeAll(from: &buffer)
    }
    #expect(sizes == [256, 256, 64, 64, 16, 16, 16, 16].map { $0 * 1024 })
  }

  @Test func `waiting for data shrinks the buffer, unless bytes are unread`() {
    var buffer = ReadBuffer()
    for _ in 0..<8 {
      receive(into: &buffer)
      takeAll(from: &buffer)
    }
    for _ in 0..<5 { buffer.didReceiveNothing() }
    #expect(buffer.capacity == 0)

    receive(into: &buffer)
    for _ in 0..<5 { buffer.didReceiveNothing() }
    #expect(buffer.count == smallest, "unread bytes stay")
  }

  @Test func `a large read costs memory as its bytes come, not when it is asked`() {
    var buffer = ReadBuffer()
    receive(0, into: &buffer, wanted: 1 << 30)
    #expect(buffer.capacity == ReadBuffer.trustMax)
    receive(into: &buffer, wanted: 1 << 30)
    receive(1, into: &buffer, wanted: 1 << 30)
    #expect(buffer.capacity == 2 * ReadBuffer.trustMax)
  }

  @Test func `the memory of one large read is freed after it`() {
    var buffer = ReadBuffer()
    while buffer.count < 50 << 20 { receive(into: &buffer, wanted: 50 << 20) }
    #expect(buffer.capacity == 64 << 20, "doubled as it came")
    takeAll(from: &buffer)
    #expect(buffer.capacity == 0)
  }

  @Test func `unread bytes are kept when the buffer grows and when they move`() throws {
    var buffer = ReadBuffer()
    receive(smallest - 3, into: &buffer)
    buffer.start += smallest - 13
    // Ten bytes at the end: they move to the front rather than leave room for three.
    let kept = Array(buffer.bytes)
    #expect(kept.count == 10)
    let room = try buffer.room(for: 1)
    #expect(room.count == smallest - 10 && Array(buffer.bytes) == kept)
    _ = try buffer.room(for: 3 * smallest)
    #expect(Array(buffer.bytes) == kept)
    #expect(buffer.capacity == 3 * smallest)
  }
}
