/* connect_by_list: connects a socket to one of several addresses.
 *
 * Every pair of a local and a remote address is tried, the likeliest first, raced within one strict deadline.
 * The parameters are those of Windows' WSAConnectByList; what is different on Linux is said below. Link with
 * -lconnectbylist, which needs libc alone. */
#ifndef CONNECT_BY_LIST_H
#define CONNECT_BY_LIST_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One address: a struct sockaddr_in or a struct sockaddr_in6, and its size in bytes.
 *
 * The port must not be 0. An IPv4 address may be v4-mapped (::ffff:a.b.c.d). The scope of a link-local address
 * selects its link; with scope 0 every link is tried. Scopes of other addresses, and flow labels, are ignored.
 * A length above the structure's is accepted. */
struct connect_by_list_address {
  struct sockaddr *address;
  socklen_t length;
};

/* `count` addresses, 1 to 1,000,000, of IPv4 and IPv6 in any order. Allocate
 * sizeof(struct connect_by_list_addresses) + count * sizeof(struct connect_by_list_address). */
struct connect_by_list_addresses {
  int count;
#ifdef __cplusplus
  __extension__
#endif
  struct connect_by_list_address addresses[];
};

/* Connects `socket` to one of the addresses of `list`. Blocks, even if the socket is non-blocking. Returns 0, or
 * -1 with errno set.
 *
 * socket         A stream socket of AF_INET or AF_INET6 (TCP, MPTCP) that is neither bound nor connected. On
 *                success this number is the connected socket, with O_NONBLOCK and FD_CLOEXEC as before and with
 *                the options that the caller had set (see "Options" below). On failure the socket is unchanged and
 *                may be used again.
 *                An AF_INET6 socket with IPV6_V6ONLY off connects to both families: a sockaddr_in is mapped.
 * list           The addresses, in any order. It is read before the first packet is sent, and not kept.
 * local          NULL, or where the local address is stored, as getsockname would: v4-mapped if an AF_INET6
 *                socket has connected to an IPv4 address.
 * local_length   In: the size of the buffer. Out: the size of the address. Ignored if `local` is NULL.
 * remote, remote_length
 *                The same for the remote address and getpeername.
 * timeout        The most that the whole call may take. It also ends attempts that are under way. NULL: no limit;
 *                the call ends when a pair has connected or all have failed. {0, 0}: attempts are started, and
 *                the call succeeds only if one completes at once.
 * reserved       NULL.
 *
 * On failure nothing is stored in the buffers and lengths.
 *
 * Errors that are checked first, in this order, before a packet is sent:
 *   EINVAL       `reserved` is not NULL
 *   EBADF        `socket` is not an open descriptor
 *   ENOTSOCK     it is not a socket
 *   EOPNOTSUPP   it is of another kind, or of another network namespace
 *   EISCONN      it is connected
 *   EALREADY     it is connecting
 *   EINVAL       it is bound or listening
 *   EINVAL       `list` or an address in it is NULL, the count is out of range, a length is below the family's
 *                structure, a family is not known, a port is 0, or an address is unspecified, multicast or
 *                broadcast
 *   EFAULT       a buffer is smaller than the address structure of the socket's family, or its length is NULL
 *   EINVAL       `timeout` is negative, or its microseconds are not in 0 ... 999,999
 *
 * Errors when all pairs have failed; it is the errno of the attempt that failed last:
 *   ECONNREFUSED nothing listens there
 *   ECONNRESET   the connection was reset
 *   EHOSTUNREACH, ENETUNREACH
 *                there is no route; ENETUNREACH also for IPv4 on a socket with IPV6_V6ONLY on
 *   EAFNOSUPPORT an IPv6 address on an AF_INET socket
 *   EADDRNOTAVAIL, EACCES, EPERM, ...
 *                as from connect(2); EACCES also where `policy` does not allow the address
 *   ETIMEDOUT    the kernel has given up the last attempt
 *
 * Errors at any time:
 *   ETIMEDOUT    `timeout` has passed
 *   ECANCELED    `cancel_fd` is readable
 *   EMFILE, ENFILE, ENOBUFS, ENOMEM
 *                the system has run out of a resource. The memory that the library needs for the list and the race
 *                is bounded by `count`; if malloc fails there, the process ends
 *
 * Threads: any number of calls may run at a time, each with a socket of its own. During a call no other thread
 * may close `socket`, connect it, or let its number be reused.
 *
 * Signals neither end nor shorten the call; their handlers run as usual. No SIGPIPE is raised. A handler may end a
 * call by writing to its `cancel_fd`; it must not call connect_by_list itself.
 *
 * Options: each attempt's socket gets, before its SYN, the value of those of these options whose value differs
 * from that of a new socket. An attempt on which one cannot be set fails with its errno. SO_LINGER is set on the
 * winner alone. With TCP_FASTOPEN_CONNECT the handshake is made at once all the same.
 *   SOL_SOCKET   SO_REUSEADDR, SO_DONTROUTE, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_OOBINLINE, SO_PRIORITY,
 *                SO_LINGER, SO_REUSEPORT, SO_PASSCRED, SO_RCVLOWAT, SO_RCVTIMEO, SO_SNDTIMEO, SO_BINDTODEVICE,
 *                SO_TIMESTAMP, SO_PASSSEC, SO_TIMESTAMPNS, SO_MARK, SO_TIMESTAMPING, SO_PEEK_OFF,
 *                SO_SELECT_ERR_QUEUE, SO_BUSY_POLL, SO_MAX_PACING_RATE, SO_ZEROCOPY, SO_TXTIME, SO_TIMESTAMP_NEW,
 *                SO_TIMESTAMPNS_NEW, SO_TIMESTAMPING_NEW, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET, SO_BUF_LOCK,
 *                SO_RESERVE_MEM, SO_TXREHASH, SO_RCVMARK, SO_PASSPIDFD, SO_RCVPRIORITY, SO_PASSRIGHTS, SO_INQ
 *   IPPROTO_IP   IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_FREEBIND, IP_TRANSPARENT, IP_MINTTL,
 *                IP_BIND_ADDRESS_NO_PORT, IP_LOCAL_PORT_RANGE
 *   IPPROTO_IPV6 IPV6_UNICAST_HOPS, IPV6_MTU_DISCOVER, IPV6_RECVERR, IPV6_V6ONLY, IPV6_FLOWINFO_SEND,
 *                IPV6_DONTFRAG, IPV6_TCLASS, IPV6_AUTOFLOWLABEL, IPV6_ADDR_PREFERENCES, IPV6_MINHOPCOUNT,
 *                IPV6_TRANSPARENT, IPV6_FREEBIND
 *   IPPROTO_TCP  TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT,
 *                TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_WINDOW_CLAMP, TCP_CONGESTION, TCP_THIN_LINEAR_TIMEOUTS,
 *                TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE, TCP_INQ,
 *                TCP_TX_DELAY, TCP_RTO_MAX_MS, TCP_RTO_MIN_US, TCP_DELACK_MAX_US
 * All others have the system's defaults on the connected socket: set TCP_QUICKACK and SO_INCOMING_CPU, filters, MD5
 * keys, IPsec policies, IP options and extension headers afterwards.
 *
 * Duplicates and epoll: attempts run on sockets of their own, and the winner takes the number. Other references
 * to the old socket do not follow: a duplicate (dup, fork, SCM_RIGHTS) stays the unconnected socket, and an
 * epoll registration of the number is gone. Register after connecting. */
int connect_by_list(int socket, const struct connect_by_list_addresses *list,
                    socklen_t *local_length, struct sockaddr *local, socklen_t *remote_length,
                    struct sockaddr *remote, const struct timeval *timeout, void *reserved);

/* Options. Initialize them with CONNECT_BY_LIST_OPTIONS_INIT: in zeroed memory cancel_fd would be standard
 * input. */
struct connect_by_list_options {
  /* sizeof(struct connect_by_list_options) when the caller was compiled. Fields beyond it have their defaults.
   * Bytes beyond the structure that this library knows have to be 0. */
  size_t size;
  /* A descriptor that can be polled (an eventfd, a pipe, a signalfd), or -1. When it is readable the call ends
   * with ECANCELED. Nothing is read from it. */
  int cancel_fd;
  /* Has to be 0. */
  unsigned flags;
  /* NULL, or where the index of the address is stored for which the call fails with EINVAL; -1 is stored if the
   * call ends in any other way. */
  int *bad_entry;
  /* NULL, or rules about which addresses may be connected to. They are checked on the actual address before each
   * connect(2); an attempt to one that is not allowed fails with EACCES. Words, separated by white space or
   * semicolons; a # begins a comment, up to the end of the line:
   *   allow 10.1.0.0/16:443 [2001:db8::/32]:443,8000-8099; deny private metadata; allow any
   * `allow` and `deny` are followed by what they are for: an address or a network, with or without ports;
   * loopback, private, link-local, multicast, metadata; inet, inet6, any. The first rule that matches decides.
   * Where none does, the address is denied if a rule allows something, and allowed otherwise. */
  const char *policy;
};

#define CONNECT_BY_LIST_OPTIONS_INIT {sizeof(struct connect_by_list_options), -1, 0, NULL, NULL}

/* Connects as connect_by_list does, with options; NULL: the defaults. Checked after `timeout`:
 *   EINVAL       `size` is below its own size or above 4096, `flags` is not 0, or a byte beyond the known fields is
 *                not 0
 *   EBADF        `cancel_fd` is neither -1 nor an open descriptor
 *   EINVAL       `policy` has a malformed rule, or is longer than 65536 bytes */
int connect_by_list_options(int socket, const struct connect_by_list_addresses *list,
                            socklen_t *local_length, struct sockaddr *local,
                            socklen_t *remote_length, struct sockaddr *remote,
                            const struct timeval *timeout, void *reserved,
                            const struct connect_by_list_options *options);

#ifdef __cplusplus
}
#endif

#endif
