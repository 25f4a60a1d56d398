import CConnectByListPosix
import ConnectByListCore

/// An option that scripts have no use for, and that a program may have set on the socket that it wants
/// connected: its value is carried to the sockets of the race, as those of `SocketOption.table` are.
///
/// Not in this table: what cannot be read back (filters, MD5 keys, IPsec policies), what is longer than 16 bytes
/// (IP options, IPv6 extension headers), what belongs to datagrams, multicast or listeners, and what a
/// connection does not keep.
struct CarriedOption: Sendable {
  let level: CInt
  let number: CInt
  let families: SocketOption.Families

  private init(_ level: CInt, _ number: CInt, _ families: SocketOption.Families) {
    self.level = level
    self.number = number
    self.families = families
  }

  /// Later ones override earlier ones where they set the same: an option before its newer form.
  static let table: [CarriedOption] = [
    CarriedOption(SocketLevel.socket, SocketNumber.dontRoute, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.passCredentials, .unix),
    CarriedOption(SocketLevel.socket, SocketNumber.receiveLowWater, .any),
    // Without effect while the socket is non-blocking; the C caller may make it blocking again.
    CarriedOption(SocketLevel.socket, SocketNumber.receiveTimeout, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.sendTimeout, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.timestamp, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.passSecurity, .unix),
    CarriedOption(SocketLevel.socket, SocketNumber.timestampNanoseconds, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.timestamping, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.peekOffset, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.selectsErrorQueue, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.pacingRateMax, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.zeroCopy, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.transmitTime, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.timestampNew, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.timestampNanosecondsNew, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.timestampingNew, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.prefersBusyPoll, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.busyPollBudget, .any),
    // Tells that a buffer's size was set, even if to the default.
    CarriedOption(SocketLevel.socket, SocketNumber.bufferLock, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.reservedMemory, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.rehashes, .ip),
    CarriedOption(SocketLevel.socket, SocketNumber.receiveMark, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.passProcessDescriptor, .unix),
    CarriedOption(SocketLevel.socket, SocketNumber.receivePriority, .any),
    CarriedOption(SocketLevel.socket, SocketNumber.passRights, .unix),
    CarriedOption(SocketLevel.socket, SocketNumber.inQueue, .unix),
    CarriedOption(SocketLevel.ip, SocketNumber.mtuDiscovery, .ip),
    CarriedOption(SocketLevel.ip, SocketNumber.receiveErrors, .ip),
    CarriedOption(SocketLevel.ip, SocketNumber.freeBind, .ip),
    CarriedOption(SocketLevel.ip, SocketNumber.transparent, .ip),
    CarriedOption(SocketLevel.ip, SocketNumber.timeToLiveMin, .ip),
    CarriedOption(SocketLevel.ip, SocketNumber.bindAddressNoPort, .ip),
    CarriedOption(SocketLevel.ip, SocketNumber.localPortRange, .ip),
    CarriedOption(SocketLevel.ipv6, SocketNumber.mtuDiscoveryV6, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.receiveErrorsV6, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.sendsFlowInformation, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.neverFragments, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.flowLabelIsAutomatic, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.sourcePreferences, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.hopLimitMin, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.transparentV6, .inet6),
    CarriedOption(SocketLevel.ipv6, SocketNumber.freeBindV6, .inet6),
    CarriedOption(SocketLevel.tcp, SocketNumber.lingerAfterFIN, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.windowClamp, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.thinLinearTimeouts, .ip),
    // See `Syscalls.startHandshake`.
    CarriedOption(SocketLevel.tcp, SocketNumber.fastOpenConnect, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.fastOpenNoCookie, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.tellsQueued, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.transmitDelay, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.resendTimeMax, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.resendTimeMin, .ip),
    CarriedOption(SocketLevel.tcp, SocketNumber.acknowledgeDelayMax, .ip),
  ]
}
