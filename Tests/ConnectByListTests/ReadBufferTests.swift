import Testing

@testable import ConnectByList

/// How much memory a socket's reading takes, and when it lets go of it.
@Suite struct ReadBufferTests {
  private let smallest = Int(ReadBuffer.aheadMin)
  private let largest = Int(ReadBuffer.aheadMax)

  /// The kernel has `count` bytes, or all that is asked for. What came is marked by its place.
  private func receive(_ count: Int = .max, into buffer: inout ReadBuffer, wanted: Int = 1) {
    let before = buffer.count
    let room = buffer.room(for: wanted)
    #expect(room.count > 0 && before + room.count >= wanted)
    let added = min(count, room.count)
    for index in 0..<added { room[index] = UInt8(truncatingIfNeeded: before + index) }
    buffer.didReceive(added)
    #expect(buffer.count == before + added)
  }

  private func takeAll(from buffer: inout ReadBuffer) {
    buffer.start += buffer.count
    buffer.trim()
  }

  @Test func `nothing is held before the first read`() {
    #expect(ReadBuffer().capacity == 0)
  }

  @Test func `a stream that fills what is asked for is asked for more, up to a bound`() {
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

  @Test func `a stream that dries up gives the memory back by and by`() {
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

  @Test func `so does waiting, while nothing is there`() {
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

  @Test func `one large read is let go of when it is over`() {
    var buffer = ReadBuffer()
    receive(into: &buffer, wanted: 50 << 20)
    #expect(buffer.capacity == 50 << 20)
    takeAll(from: &buffer)
    #expect(buffer.capacity == 0)
  }

  @Test func `what is unread is kept over growing and moving`() {
    var buffer = ReadBuffer()
    receive(smallest - 3, into: &buffer)
    buffer.start += smallest - 13
    // Ten bytes at the end: they move to the front rather than leave room for three.
    let kept = Array(buffer.bytes)
    #expect(kept.count == 10)
    let room = buffer.room(for: 1)
    #expect(room.count == smallest - 10 && Array(buffer.bytes) == kept)
    _ = buffer.room(for: 3 * smallest)
    #expect(Array(buffer.bytes) == kept)
    #expect(buffer.capacity == 3 * smallest)
  }
}
