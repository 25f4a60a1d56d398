/* connect_by_list: a connected socket to whichever of several addresses answers.
 *
 * Every pair of a local and a remote address is tried, the likeliest first, raced under one strict
 * deadline. The parameters are those of WSAConnectByList; what they mean here, and where this goes
 * beyond it, is said below. Link with -lconnectbylist, which needs libc alone. */
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
 * The port has to be there (not 0). An IPv4 address may be written as v4-mapped (::ffff:a.b.c.d).
 * The scope counts on link-local addresses only; without one (0) the address is tried on each link.
 * The flow label is ignored. A length above the structure's is accepted. */
struct connect_by_list_address {
  struct sockaddr *address;
  socklen_t length;
};

/* `count` addresses, 1 to 1,000,000, IPv4 and IPv6 as they come. Allocate
 * sizeof(struct connect_by_list_addresses) + count * sizeof(struct connect_by_list_address). */
struct connect_by_list_addresses {
  int count;
#ifdef __cplusplus
  __extension__
#endif
  struct connect_by_list_address addresses[];
};

/* Connects `socket` to one of the addresses of `list`. Blocks, also where the socket is
 * non-blocking. Returns 0, or -1 with errno set.
 *
 * socket         A stream socket of AF_INET or AF_INET6 (TCP, MPTCP) that is neither bound nor
 *                connected. On success this number is the connected socket, with O_NONBLOCK and
 *                close-on-exec as they were and with the options that were set on it. On failure it
 *                is as it was, and may be used again. To connect to both families on one socket
 *                take AF_INET6 with IPV6_V6ONLY off: a sockaddr_in is then mapped for you.
 * list           The addresses, in any order. It is read before the first packet and not kept.
 * local          NULL, or where to put what getsockname would say. As v4-mapped where an AF_INET6
 *                socket has connected to an IPv4 address.
 * local_length   In: the buffer's size. Out: the address's size. Ignored where `local` is NULL.
 * remote, remote_length
 *                The same for getpeername.
 * timeout        NULL: until connected, or until every pair has failed. Otherwise the bound on the
 *                whole call, enforced in the middle of attempts too. {0, 0} starts what can be
 *                started and succeeds only with what completes at once.
 * reserved       NULL.
 *
 * On failure no buffer and no length is written.
 *
 * Checked first, in this order and before a packet is sent:
 *   EINVAL       `reserved` is not NULL
 *   EBADF        `socket` is no open descriptor
 *   ENOTSOCK     ... is no socket
 *   EOPNOTSUPP   ... is not of a kind that can be connected by list, or of another network namespace
 *   EISCONN      ... is connected
 *   EALREADY     ... is connecting
 *   EINVAL       ... is bound or listening
 *   EINVAL       `list` or an address in it is NULL, the count is out of range, a length is below the
 *                family's structure, a family is unknown, a port is 0, an address is unspecified,
 *                multicast or broadcast
 *   EFAULT       a buffer is below the structure of the socket's family, or has no length
 *   EINVAL       `timeout` is negative, or its microseconds are not 0 to 999,999
 *
 * What the world does wrong, where all pairs have failed, is the errno of the attempt that failed
 * last:
 *   ECONNREFUSED nobody listens there
 *   ECONNRESET   the connection was reset
 *   EHOSTUNREACH, ENETUNREACH
 *                no way to it. ENETUNREACH too for IPv4 on a socket with IPV6_V6ONLY on
 *   EAFNOSUPPORT IPv6 on an AF_INET socket
 *   EADDRNOTAVAIL, EACCES, EPERM, ...
 *                as connect(2) has them
 *   ETIMEDOUT    the kernel gave up the last attempt; or `timeout` has passed
 * And, whenever it happens:
 *   ECANCELED    `cancel_fd` has become readable
 *   EMFILE, ENFILE, ENOBUFS, ENOMEM
 *                the system is out of something. Memory that the library itself needs for the list and
 *                the race is bounded by `count`; where malloc gives none the process ends
 *
 * Threads: any number of calls at a time, each with a socket of its own. During the call no other
 * thread may close `socket`, connect it, or let its number be used again.
 *
 * Signals neither break nor shorten the call; their handlers run as usual. No SIGPIPE is raised. A
 * handler may end a call by writing to its `cancel_fd`; it must not call connect_by_list itself.
 *
 * Duplicates and epoll: attempts run on sockets of their own, and the winner takes the number. What
 * else refers to the old socket does not follow: a duplicate (dup, fork, SCM_RIGHTS) is still the
 * unconnected one, and an epoll registration of the number is gone. Register after connecting. */
int connect_by_list(int socket, const struct connect_by_list_addresses *list,
                    socklen_t *local_length, struct sockaddr *local, socklen_t *remote_length,
                    struct sockaddr *remote, const struct timeval *timeout, void *reserved);

/* More that a caller may want. Begin with CONNECT_BY_LIST_OPTIONS_INIT: a cancel_fd of 0 would be
 * standard input. */
struct connect_by_list_options {
  /* sizeof(struct connect_by_list_options) as the caller was compiled. Fields beyond it have their
   * defaults; bytes beyond what this library knows have to be 0. */
  size_t size;
  /* -1: none. Otherwise any descriptor that can be polled (an eventfd, a pipe, a signalfd): once it is
   * readable the call ends with ECANCELED. Nothing is read from it. */
  int cancel_fd;
  /* 0. */
  unsigned flags;
  /* NULL, or where to put the index of the entry for which the list is refused with EINVAL; -1 where
   * the call ends in any other way. */
  int *bad_entry;
};

#define CONNECT_BY_LIST_OPTIONS_INIT {sizeof(struct connect_by_list_options), -1, 0, NULL}

/* The same with options. NULL: the defaults. Checked after `timeout`:
 *   EINVAL       `size` does not hold itself or is above 4096, `flags` is not 0, or there is something
 *                in what this library does not know
 *   EBADF        `cancel_fd` is neither -1 nor an open descriptor */
int connect_by_list_options(int socket, const struct connect_by_list_addresses *list,
                            socklen_t *local_length, struct sockaddr *local,
                            socklen_t *remote_length, struct sockaddr *remote,
                            const struct timeval *timeout, void *reserved,
                            const struct connect_by_list_options *options);

#ifdef __cplusplus
}
#endif

#endif
