import ConnectByListCore
import Testing

@testable import ConnectByListTesting

/// The other behaviours, and the flows of a proxy, on a virtual clock.
struct BehaviourTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func after(_ milliseconds: Int64) -> Instant { start + .milliseconds(milliseconds) }

  private func conversation(_ kind: EndpointKind, number: Int = 0) -> Conversation {
    Conversation(kind, connection: number, at: start)!
  }

  // MARK: conversations

  @Test func `a slow echo sends each byte exactly so late, and closes after the last`() {
    var slow = conversation(.slow(.milliseconds(30)))
    slow.receive([1, 2], at: start)
    slow.receive([3], at: after(10))
    slow.end(byReset: false)
    #expect(slow.nextStep(at: start) == .wait(until: after(30)))
    #expect(slow.nextStep(at: after(30)) == .send([1, 2]))
    #expect(slow.nextStep(at: after(30)) == .wait(until: after(40)))
    #expect(slow.nextStep(at: after(41)) == .send([3]))
    #expect(slow.nextStep(at: after(41)) == .close)
  }

  @Test func `an echo takes no more than a MiB that is not sent`() {
    var echo = conversation(.echo)
    echo.receive([UInt8](repeating: 1, count: Conversation.pendingMax - 1), at: start)
    #expect(echo.takesBytes)
    echo.receive([1], at: start)
    #expect(!echo.takesBytes)
  }

  @Test func `a connection ends at once without a limit, else at the first limit`() {
    typealias End = EndpointKind.End
    var atOnce = conversation(.reset())
    #expect(atOnce.nextStep(at: start) == .reset)
    var byBytes = conversation(.closing(End(afterBytes: 3)))
    byBytes.receive([1, 2], at: start)
    #expect(byBytes.nextStep(at: start) == .wait(until: .distantFuture))
    byBytes.receive([3], at: start)
    #expect(byBytes.nextStep(at: start) == .close)
    var byTime = conversation(.reset(End(afterBytes: 3, afterTime: .milliseconds(5))))
    #expect(byTime.nextStep(at: start) == .wait(until: after(5)))
    #expect(byTime.nextStep(at: after(5)) == .reset)
  }

  @Test func `discard and accepting say nothing, and end with the client`() {
    for kind in [EndpointKind.discard, .accepting] {
      var quiet = conversation(kind)
      quiet.receive([1], at: start)
      #expect(quiet.nextStep(at: start) == .wait(until: .distantFuture))
      quiet.end(byReset: false)
      #expect(quiet.nextStep(at: start) == .close)
    }
    #expect(conversation(.discard).takesBytes)
    #expect(!conversation(.accepting).takesBytes)
  }

  @Test func `one script is for all connections, of several each is for one`() {
    let one = EndpointKind.script([[.close]])
    let two = EndpointKind.script([[.close], [.reset]])
    for number in [0, 7] {
      var first = conversation(one, number: number)
      #expect(first.nextStep(at: start) == .close)
    }
    var second = conversation(two, number: 1)
    #expect(second.nextStep(at: start) == .reset)
    #expect(Conversation(two, connection: 2, at: start) == nil)
  }

  // MARK: proxy

  /// All steps of a flow that has received these bytes at the start: when, and how many bytes.
  private func passed(
    _ settings: ProxySettings, count: Int, until end: Int64 = 10_000
  ) -> [(ms: Int64, count: Int)] {
    var flow = ProxyFlow(isTowardsClient: true, seed: settings.seed)
    flow.receive([UInt8](repeating: 7, count: count), settings, at: start)
    var now = start
    var passed: [(ms: Int64, count: Int)] = []
    while now < after(end) {
      switch flow.nextStep(settings, at: now) {
      case .send(let bytes):
        passed.append(((now - start).nanoseconds / 1_000_000, bytes.count))
      case .reset:
        passed.append(((now - start).nanoseconds / 1_000_000, -1))
        return passed
      case .wait(.distantFuture), .shut, .close: return passed
      case .wait(let until): now = until
      }
    }
    return passed
  }

  private func settings(_ change: (inout ProxySettings) -> Void) -> ProxySettings {
    var settings = ProxySettings()
    change(&settings)
    return settings
  }

  @Test func `latency delays bytes and the end alike`() {
    let slow = settings { $0.latency = .milliseconds(50) }
    var flow = ProxyFlow(isTowardsClient: false, seed: 1)
    flow.receive([1], slow, at: start)
    flow.end(slow, at: after(10))
    #expect(flow.nextStep(slow, at: start) == .wait(until: after(50)))
    #expect(flow.nextStep(slow, at: after(50)) == .send([1]))
    #expect(flow.nextStep(slow, at: after(50)) == .wait(until: after(60)))
    #expect(flow.nextStep(slow, at: after(60)) == .shut)
    #expect(flow.isDone)
  }

  @Test func `slices are a millisecond apart`() {
    let sliced = settings { $0.slice = 2 }
    #expect(passed(sliced, count: 5).elementsEqual([(0, 2), (1, 2), (2, 1)], by: ==))
  }

  @Test func `the rate is kept over a second, also by a server that wakes late`() {
    let slow = settings { $0.rate = 1000 }
    // 10 bytes each 10 ms: the 100th portion begins after 990 ms.
    let portions = passed(slow, count: 1000)
    #expect(portions.count == 100)
    #expect(portions.last! == (990, 10))
    var flow = ProxyFlow(isTowardsClient: true, seed: 1)
    flow.receive([UInt8](repeating: 1, count: 30), slow, at: start)
    #expect(flow.nextStep(slow, at: start) == .send([UInt8](repeating: 1, count: 10)))
    #expect(flow.nextStep(slow, at: after(13)) == .send([UInt8](repeating: 1, count: 10)))
    #expect(flow.nextStep(slow, at: after(13)) == .wait(until: after(20)))
  }

  @Test func `a connection is cut, or hangs, after exactly so many bytes for the client`() {
    let cut = settings { $0.cutAfter = 3 }
    #expect(passed(cut, count: 5).elementsEqual([(0, 3), (0, -1)], by: ==))
    #expect(passed(settings { $0.cutAfter = 0 }, count: 5).elementsEqual([(0, -1)], by: ==))
    #expect(passed(settings { $0.hangAfter = 3 }, count: 5).elementsEqual([(0, 3)], by: ==))
    // In the other direction they do not count.
    var flow = ProxyFlow(isTowardsClient: false, seed: 1)
    flow.receive([1, 2, 3, 4], cut, at: start)
    #expect(flow.nextStep(cut, at: start) == .send([1, 2, 3, 4]))
  }

  @Test func `a hang that is taken away lets the rest pass`() {
    let hanging = settings { $0.hangAfter = 1 }
    var flow = ProxyFlow(isTowardsClient: true, seed: 1)
    flow.receive([1, 2], hanging, at: start)
    #expect(flow.nextStep(hanging, at: start) == .send([1]))
    #expect(flow.nextStep(hanging, at: start) == .wait(until: .distantFuture))
    #expect(flow.nextStep(ProxySettings(), at: start) == .send([2]))
  }

  @Test func `jitter is within its bounds, keeps the order, and is the same for a seed`() {
    func dues(_ seed: UInt64) -> [Int64] {
      let shaky = settings {
        $0.latency = .milliseconds(10)
        $0.jitter = .milliseconds(20)
      }
      return (0..<200).map { _ in 0 }.enumerated().map { index, _ in
        var flow = ProxyFlow(isTowardsClient: true, seed: seed &+ UInt64(index))
        flow.receive([1], shaky, at: start)
        guard case .wait(let due) = flow.nextStep(shaky, at: start) else { return -1 }
        return (due - start).nanoseconds / 1_000_000
      }
    }
    let found = dues(3)
    #expect(found.allSatisfy { (10..<30).contains($0) })
    #expect(Set(found).count > 10)
    #expect(dues(3) == found)
    #expect(dues(1000) != found)
    var flow = ProxyFlow(isTowardsClient: true, seed: 9)
    let shaky = settings { $0.jitter = .milliseconds(20) }
    for byte in 0..<100 { flow.receive([UInt8(byte)], shaky, at: start) }
    var received: [UInt8] = []
    while received.count < 100 {
      guard case .send(let bytes) = flow.nextStep(shaky, at: after(20)) else { break }
      received += bytes
    }
    #expect(received == (0..<100).map { UInt8($0) })
  }

  @Test func `a queue gives its bytes in order, whatever is taken at a time`() {
    var queue = ChunkQueue()
    var expected: [UInt8] = []
    var taken: [UInt8] = []
    var random = SplitMix64(seed: 5)
    for turn in 0..<2000 {
      let bytes = (0..<random.below(5)).map { UInt8(truncatingIfNeeded: turn &+ $0) }
      queue.append(bytes, due: start)
      expected += bytes
      for _ in 0..<random.below(4) where !queue.isEmpty {
        taken += queue.takeFirst(1 + random.below(3))
      }
      #expect(queue.byteCount == expected.count - taken.count)
    }
    while !queue.isEmpty { taken += queue.takeFirst() }
    #expect(taken == expected)
  }
}
