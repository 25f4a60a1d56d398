// Connects to one of several addresses and hands the connection to SwiftNIO, whose bootstrap would connect to one
// host. Needs no network once SwiftNIO is downloaded: the program opens the endpoints itself, on loopback.
//
//   swift run --package-path examples/nio
//
// It prints, with another port:
//
//   connected to 127.0.0.1:55167
//   echoed hello
//
// Built with SwiftNIO 2.101.3; the tests do not build it.
import ConnectByListAsync
import ConnectByListTesting
import NIOCore
import NIOPosix

@main struct Example {
  static func main() async throws {
    let refused = try TestEndpoint(.refused)
    let silent = try TestEndpoint(.silent)
    let echo = try TestEndpoint(.echo)

    // 1. The race, with a deadline for all of it.
    let list = try AddressList([
      refused.endpoint.text, silent.endpoint.text, echo.endpoint.text,
    ])
    var options = ConnectOptions()
    options.timeout = .seconds(2)
    var socket = try await connectByList(list, options: options)
    if let remote = try socket.remoteEndpoint() { print("connected to \(remote.text)") }

    // 2. SwiftNIO becomes the owner of the descriptor, and closes it also where the channel cannot be made.
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .withConnectedSocket(socket.detach().release()) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }

    // 3. From here on it is a channel like any other.
    try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: "hello"))
      for try await buffer in inbound {
        print("echoed \(String(buffer: buffer))")
        break
      }
    }
  }
}
