// The numbers of `setsockopt` and `getsockopt`, from Linux's uapi headers. Embedded Swift cannot import
// the macros. The comments have the names in C.

/// The `level` of a socket option.
package enum SocketLevel {
  package static let socket: CInt = 1  // SOL_SOCKET
  package static let ip: CInt = 0  // IPPROTO_IP
  package static let tcp: CInt = 6  // IPPROTO_TCP
  package static let ipv6: CInt = 41  // IPPROTO_IPV6
}

/// The `name` of a socket option. A number is unique at its level only.
package enum SocketNumber {
  // SocketLevel.socket: asm-generic/socket.h
  package static let reuseAddress: CInt = 2  // SO_REUSEADDR
  package static let type: CInt = 3  // SO_TYPE
  package static let error: CInt = 4  // SO_ERROR
  package static let sendBuffer: CInt = 7  // SO_SNDBUF
  package static let receiveBuffer: CInt = 8  // SO_RCVBUF
  package static let keepAlive: CInt = 9  // SO_KEEPALIVE
  package static let urgentInline: CInt = 10  // SO_OOBINLINE
  package static let priority: CInt = 12  // SO_PRIORITY
  package static let linger: CInt = 13  // SO_LINGER
  package static let reusePort: CInt = 15  // SO_REUSEPORT
  package static let receiveLowWater: CInt = 18  // SO_RCVLOWAT
  package static let receiveTimeout: CInt = 20  // SO_RCVTIMEO_OLD
  package static let sendTimeout: CInt = 21  // SO_SNDTIMEO_OLD
  package static let bindToDevice: CInt = 25  // SO_BINDTODEVICE
  package static let acceptsConnections: CInt = 30  // SO_ACCEPTCONN
  package static let sendBufferForce: CInt = 32  // SO_SNDBUFFORCE
  package static let receiveBufferForce: CInt = 33  // SO_RCVBUFFORCE
  package static let mark: CInt = 36  // SO_MARK
  package static let protocolNumber: CInt = 38  // SO_PROTOCOL
  package static let domain: CInt = 39  // SO_DOMAIN
  package static let busyPoll: CInt = 46  // SO_BUSY_POLL
  package static let incomingCPU: CInt = 49  // SO_INCOMING_CPU
  package static let bindToInterface: CInt = 62  // SO_BINDTOIFINDEX, Linux 5.1
  package static let networkNamespaceCookie: CInt = 71  // SO_NETNS_COOKIE, Linux 5.14
  package static let bufferLock: CInt = 72  // SO_BUF_LOCK, Linux 5.14

  // SocketLevel.ip: linux/in.h
  package static let typeOfService: CInt = 1  // IP_TOS
  package static let timeToLive: CInt = 2  // IP_TTL
  package static let bindAddressNoPort: CInt = 24  // IP_BIND_ADDRESS_NO_PORT, Linux 4.2

  // SocketLevel.ipv6: linux/in6.h
  package static let hopLimit: CInt = 16  // IPV6_UNICAST_HOPS
  package static let ipv6Only: CInt = 26  // IPV6_V6ONLY
  package static let trafficClass: CInt = 67  // IPV6_TCLASS

  // SocketLevel.tcp: linux/tcp.h
  package static let noDelay: CInt = 1  // TCP_NODELAY
  package static let segmentMax: CInt = 2  // TCP_MAXSEG
  package static let cork: CInt = 3  // TCP_CORK
  package static let keepIdle: CInt = 4  // TCP_KEEPIDLE
  package static let keepInterval: CInt = 5  // TCP_KEEPINTVL
  package static let keepCount: CInt = 6  // TCP_KEEPCNT
  package static let resendCount: CInt = 7  // TCP_SYNCNT
  package static let deferAccept: CInt = 9  // TCP_DEFER_ACCEPT
  package static let quickAcknowledge: CInt = 12  // TCP_QUICKACK
  package static let congestion: CInt = 13  // TCP_CONGESTION
  package static let userTimeout: CInt = 18  // TCP_USER_TIMEOUT
  package static let notSentLowWater: CInt = 25  // TCP_NOTSENT_LOWAT
}
