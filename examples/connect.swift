// Connects to whichever of several addresses answers, blocking and from a task. Needs no network: the
// endpoints are opened on loopback, in this process.
//
//   swift run ConnectByListExampleSwift
import ConnectByListAsync
import ConnectByListTesting

@main struct ConnectByListExampleSwift {
  static func main() async throws {
    let lost = try TestEndpoint(.silent)
    let stopped = try TestEndpoint(.refused)
    let service = try TestEndpoint(.echo)

    // 1. The list, in any order, and a deadline for everything.
    var list = try AddressList([
      lost.endpoint.text, stopped.endpoint.text, service.endpoint.text,
    ])
    var options = ConnectOptions()
    options.timeout = .seconds(2)

    // 2. One call. It blocks; `list` remembers how its endpoints did.
    var socket = try connectByList(&list, options: options)
    if let local = try socket.localEndpoint() { print("local   \(local.text)") }
    if let remote = try socket.remoteEndpoint() { print("remote  \(remote.text)") }
    socket.timeout = .seconds(1)
    try socket.write("hello, whoever you are\n")
    print("said    \(try socket.readLine() ?? "nothing")")

    // 3. From a task nothing blocks, and to cancel the task ends the race.
    let candidates = try AddressList([lost.endpoint.text])
    let task = Task { try await connectByList(candidates).isConnected }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    do { print("connected: \(try await task.value)") } catch is CancellationError {
      print("cancelled")
    }

    // 4. What cannot be says why, and the report has every attempt.
    let hopeless = try AddressList([stopped.endpoint.text])
    do { print("connected: \(try await connectByList(hopeless).isConnected)") } catch {
      print("failed  \(error)")
    }
  }
}
