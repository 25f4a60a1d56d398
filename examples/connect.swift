// Connects to one of several addresses, in a blocking call and from a task. Needs no network: the program
// opens the endpoints itself, on loopback.
//
//   swift run ConnectByListExampleSwift
//
// It prints, with other ports and times:
//
//   local   127.0.0.1:39548
//   remote  127.0.0.1:55167
//   echoed  hello
//   cancelled
//   failed  ECONNREFUSED: connection refused after 0.000 s: 1 pair tried; last: 127.0.0.1:60519 connection refused
import ConnectByListAsync
import ConnectByListTesting

@main struct ConnectByListExampleSwift {
  static func main() async throws {
    let silent = try TestEndpoint(.silent)
    let refused = try TestEndpoint(.refused)
    let echo = try TestEndpoint(.echo)

    // 1. A list, in any order, and a deadline for the whole connect.
    var list = try AddressList([
      silent.endpoint.text, refused.endpoint.text, echo.endpoint.text,
    ])
    var options = ConnectOptions()
    options.timeout = .seconds(2)

    // 2. A blocking call. `list` remembers how its endpoints did, for the next connect.
    var socket = try connectByList(&list, options: options)
    if let local = try socket.localEndpoint() { print("local   \(local.text)") }
    if let remote = try socket.remoteEndpoint() { print("remote  \(remote.text)") }
    socket.timeout = .seconds(1)
    // In a task these do not block its thread.
    try await socket.write("hello\n")
    print("echoed  \(try await socket.readLine() ?? "nothing")")

    // 3. The same from a task, without blocking its thread. Cancelling the task ends the connect.
    let candidates = try AddressList([silent.endpoint.text])
    let task = Task { try await connectByList(candidates).isConnected }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    do { print("connected: \(try await task.value)") } catch is CancellationError {
      print("cancelled")
    }

    // 4. An error says what failed; its report has every attempt.
    let unreachable = try AddressList([refused.endpoint.text])
    do { print("connected: \(try await connectByList(unreachable).isConnected)") } catch {
      print("failed  \(error)")
    }
  }
}
