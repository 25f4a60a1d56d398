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
  package static let dontRoute: CInt = 5  // SO_DONTROUTE
  package static let sendBuffer: CInt = 7  // SO_SNDBUF
  package static let receiveBuffer: CInt = 8  // SO_RCVBUF
  package static let keepAlive: CInt = 9  // SO_KEEPALIVE
  package static let urgentInline: CInt = 10  // SO_OOBINLINE
  package static let priority: CInt = 12  // SO_PRIORITY
  package static let linger: CInt = 13  // SO_LINGER
  package static let reusePort: CInt = 15  // SO_REUSEPORT
  package static let passCredentials: CInt = 16  // SO_PASSCRED
  package static let receiveLowWater: CInt = 18  // SO_RCVLOWAT
  package static let receiveTimeout: CInt = 20  // SO_RCVTIMEO_OLD
  package static let sendTimeout: CInt = 21  // SO_SNDTIMEO_OLD
  package static let bindToDevice: CInt = 25  // SO_BINDTODEVICE
  package static let timestamp: CInt = 29  // SO_TIMESTAMP_OLD
  package static let acceptsConnections: CInt = 30  // SO_ACCEPTCONN
  package static let sendBufferForce: CInt = 32  // SO_SNDBUFFORCE
  package static let receiveBufferForce: CInt = 33  // SO_RCVBUFFORCE
  package static let passSecurity: CInt = 34  // SO_PASSSEC
  package static let timestampNanoseconds: CInt = 35  // SO_TIMESTAMPNS_OLD
  package static let mark: CInt = 36  // SO_MARK
  package static let timestamping: CInt = 37  // SO_TIMESTAMPING_OLD
  package static let protocolNumber: CInt = 38  // SO_PROTOCOL
  package static let domain: CInt = 39  // SO_DOMAIN
  package static let peekOffset: CInt = 42  // SO_PEEK_OFF
  package static let selectsErrorQueue: CInt = 45  // SO_SELECT_ERR_QUEUE
  package static let busyPoll: CInt = 46  // SO_BUSY_POLL
  package static let pacingRateMax: CInt = 47  // SO_MAX_PACING_RATE
  package static let incomingCPU: CInt = 49  // SO_INCOMING_CPU
  package static let zeroCopy: CInt = 60  // SO_ZEROCOPY
  package static let transmitTime: CInt = 61  // SO_TXTIME
  package static let bindToInterface: CInt = 62  // SO_BINDTOIFINDEX, Linux 5.1
  package static let timestampNew: CInt = 63  // SO_TIMESTAMP_NEW
  package static let timestampNanosecondsNew: CInt = 64  // SO_TIMESTAMPNS_NEW
  package static let timestampingNew: CInt = 65  // SO_TIMESTAMPING_NEW
  package static let prefersBusyPoll: CInt = 69  // SO_PREFER_BUSY_POLL
  package static let busyPollBudget: CInt = 70  // SO_BUSY_POLL_BUDGET
  package static let networkNamespaceCookie: CInt = 71  // SO_NETNS_COOKIE, Linux 5.14
  package static let bufferLock: CInt = 72  // SO_BUF_LOCK, Linux 5.14
  package static let reservedMemory: CInt = 73  // SO_RESERVE_MEM
  package static let rehashes: CInt = 74  // SO_TXREHASH
  package static let receiveMark: CInt = 75  // SO_RCVMARK
  package static let passProcessDescriptor: CInt = 76  // SO_PASSPIDFD
  package static let receivePriority: CInt = 82  // SO_RCVPRIORITY
  package static let passRights: CInt = 83  // SO_PASSRIGHTS
  package static let inQueue: CInt = 84  // SO_INQ

  // SocketLevel.ip: linux/in.h
  package static let typeOfService: CInt = 1  // IP_TOS
  package static let timeToLive: CInt = 2  // IP_TTL
  package static let mtuDiscovery: CInt = 10  // IP_MTU_DISCOVER
  package static let receiveErrors: CInt = 11  // IP_RECVERR
  package static let freeBind: CInt = 15  // IP_FREEBIND
  package static let transparent: CInt = 19  // IP_TRANSPARENT
  package static let timeToLiveMin: CInt = 21  // IP_MINTTL
  package static let bindAddressNoPort: CInt = 24  // IP_BIND_ADDRESS_NO_PORT, Linux 4.2
  package static let localPortRange: CInt = 51  // IP_LOCAL_PORT_RANGE

  // SocketLevel.ipv6: linux/in6.h
  package static let hopLimit: CInt = 16  // IPV6_UNICAST_HOPS
  package static let mtuDiscoveryV6: CInt = 23  // IPV6_MTU_DISCOVER
  package static let receiveErrorsV6: CInt = 25  // IPV6_RECVERR
  package static let ipv6Only: CInt = 26  // IPV6_V6ONLY
  package static let sendsFlowInformation: CInt = 33  // IPV6_FLOWINFO_SEND
  package static let neverFragments: CInt = 62  // IPV6_DONTFRAG
  package static let trafficClass: CInt = 67  // IPV6_TCLASS
  package static let flowLabelIsAutomatic: CInt = 70  // IPV6_AUTOFLOWLABEL
  package static let sourcePreferences: CInt = 72  // IPV6_ADDR_PREFERENCES
  package static let hopLimitMin: CInt = 73  // IPV6_MINHOPCOUNT
  package static let transparentV6: CInt = 75  // IPV6_TRANSPARENT
  package static let freeBindV6: CInt = 78  // IPV6_FREEBIND

  // SocketLevel.tcp: linux/tcp.h
  package static let noDelay: CInt = 1  // TCP_NODELAY
  package static let segmentMax: CInt = 2  // TCP_MAXSEG
  package static let cork: CInt = 3  // TCP_CORK
  package static let keepIdle: CInt = 4  // TCP_KEEPIDLE
  package static let keepInterval: CInt = 5  // TCP_KEEPINTVL
  package static let keepCount: CInt = 6  // TCP_KEEPCNT
  package static let resendCount: CInt = 7  // TCP_SYNCNT
  package static let lingerAfterFIN: CInt = 8  // TCP_LINGER2
  package static let deferAccept: CInt = 9  // TCP_DEFER_ACCEPT
  package static let windowClamp: CInt = 10  // TCP_WINDOW_CLAMP
  package static let quickAcknowledge: CInt = 12  // TCP_QUICKACK
  package static let congestion: CInt = 13  // TCP_CONGESTION
  package static let thinLinearTimeouts: CInt = 16  // TCP_THIN_LINEAR_TIMEOUTS
  package static let userTimeout: CInt = 18  // TCP_USER_TIMEOUT
  package static let notSentLowWater: CInt = 25  // TCP_NOTSENT_LOWAT
  package static let fastOpenConnect: CInt = 30  // TCP_FASTOPEN_CONNECT
  package static let fastOpenNoCookie: CInt = 34  // TCP_FASTOPEN_NO_COOKIE
  package static let tellsQueued: CInt = 36  // TCP_INQ
  package static let transmitDelay: CInt = 37  // TCP_TX_DELAY
  package static let resendTimeMax: CInt = 44  // TCP_RTO_MAX_MS
  package static let resendTimeMin: CInt = 45  // TCP_RTO_MIN_US
  package static let acknowledgeDelayMax: CInt = 46  // TCP_DELACK_MAX_US
}
