/* System calls as Embedded Swift can call them: not variadic, no errno variable, no unions.
 *
 * A function returns its result, 0 or more, or -errno, captured before anything else can change it.
 * None retries and none decides: the policy for each stands in Syscalls.swift. */
#ifndef CPOSIX_H
#define CPOSIX_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/* An endpoint as the core has it. family: 4, 6, 1 for a Unix address, 0 for any other. */
struct cbl_posix_endpoint {
  uint64_t high;
  uint64_t low;
  uint32_t scope;
  uint16_t port;
  uint8_t family;
};

/* Addresses in a caller's memory, aligned or not. Of a size below the family's structure, and of any
 * family but AF_INET and AF_INET6: -EINVAL. A larger size is as good. */
int cbl_posix_endpoint_from_sockaddr(const void *sockaddr, size_t size, struct cbl_posix_endpoint *endpoint);
/* Writes the structure of the endpoint's family, 4 or 6, and returns its size. */
size_t cbl_posix_endpoint_to_sockaddr(struct cbl_posix_endpoint endpoint, void *sockaddr);
/* The size of the structure that a socket of this domain (AF_INET ...) has addresses in. */
size_t cbl_posix_sockaddr_size(int domain);

/* For who calls us from C. */
void cbl_posix_set_errno(int number);

struct cbl_posix_ready {
  uint64_t tag;
  uint32_t events; /* CBL_POSIX_READABLE | ... */
};

struct cbl_posix_slice {
  const void *bytes;
  size_t count;
};

enum {
  CBL_POSIX_READABLE = 0x001, /* POLLIN, EPOLLIN */
  CBL_POSIX_WRITABLE = 0x004, /* POLLOUT, EPOLLOUT */
  CBL_POSIX_FAILED = 0x008,   /* POLLERR, EPOLLERR */
  CBL_POSIX_HUNG_UP = 0x010,  /* POLLHUP, EPOLLHUP */
};

/* CLOCK_MONOTONIC. Cannot fail on Linux. */
int64_t cbl_posix_monotonic_ns(void);

/* 128 bits that input cannot predict, the same for the life of the process (a forked child has its
 * parent's). From getrandom; where that would block, early in boot, or is filtered, from addresses and
 * the clock. Never blocks, never fails. */
void cbl_posix_hash_secret(uint64_t secret[2]);

/* Sockets are made non-blocking and close-on-exec, in the call that makes them. */
int cbl_posix_socket(int family, int type, int protocol);
int cbl_posix_connect(int fd, struct cbl_posix_endpoint remote);
/* A Unix path of at most 107 bytes, or '@' and an abstract name of as many. */
int cbl_posix_connect_unix(int fd, const void *path, size_t count);
int cbl_posix_bind_unix(int fd, const void *path, size_t count);
/* Puts the path of a Unix socket's name, or of its peer's, into `path`, which has room for 108
 * bytes, in the same form; returns how many, 0 where it has none or is no Unix socket. */
int cbl_posix_unix_path(int fd, int of_peer, void *path);
/* Takes a path out of the file system; of an abstract one there is nothing to take. */
int cbl_posix_unlink_unix(const void *path, size_t count);
/* A datagram socket forgets its peer, and the source address that was chosen for it. */
int cbl_posix_disconnect(int fd);
int cbl_posix_bind(int fd, struct cbl_posix_endpoint local);
int cbl_posix_listen(int fd, int backlog);
int cbl_posix_accept(int fd);
int cbl_posix_local_endpoint(int fd, struct cbl_posix_endpoint *endpoint);
int cbl_posix_remote_endpoint(int fd, struct cbl_posix_endpoint *endpoint);
int cbl_posix_shutdown(int fd, int how);
int cbl_posix_close(int fd);
int cbl_posix_duplicate_onto(int fd, int target, int closes_on_exec);

int cbl_posix_set_option(int fd, int level, int name, const void *value, size_t size);
int cbl_posix_get_option(int fd, int level, int name, void *value, size_t *size);

/* 1 where a connected socket is MPTCP's and has not fallen back to TCP, else 0; before Linux 5.16,
 * which does not tell, 0. */
int cbl_posix_is_mptcp(int fd);

/* tcpi_total_retrans of TCP_INFO; 0 where there is none. */
int cbl_posix_resent_count(int fd);

/* 1 where the descriptor's O_NONBLOCK is set, 0 where not. */
int cbl_posix_is_nonblocking(int fd);
int cbl_posix_set_nonblocking(int fd, int on);
/* 1 or 0 likewise: FD_CLOEXEC; TCP's SYN is on its way; there is an address or a port. */
int cbl_posix_closes_on_exec(int fd);
int cbl_posix_is_connecting(int fd);
int cbl_posix_is_bound(int fd);

/* Where a byte is first, or -1. C: memchr, which looks at many at a time. */
int64_t cbl_posix_find_byte(const void *bytes, size_t count, int byte);

int64_t cbl_posix_receive(int fd, void *bytes, size_t count);
/* MSG_NOSIGNAL: a peer that is gone is EPIPE, never a signal. */
int64_t cbl_posix_send(int fd, const void *bytes, size_t count);
int64_t cbl_posix_send_slices(int fd, const struct cbl_posix_slice *slices, size_t count);

/* The netlink datagrams that are there, at most `count` (64), each into its own slot of `slot_size`
 * bytes. sizes[i] is the datagram's true size, which is above slot_size where it was cut off, and 0
 * where it does not come from the kernel. Returns how many. */
int cbl_posix_netlink_receive(int fd, void *slots, size_t slot_size, uint32_t *sizes, int count);

/* One descriptor; timeout_ns below 0: for ever. Returns the ready events, 0 at the timeout. */
int cbl_posix_poll(int fd, int events, int64_t timeout_ns);
int cbl_posix_poll_two(int fd, int events, int other_fd, int64_t timeout_ns, int *other_events);

int cbl_posix_epoll_create(void);
int cbl_posix_epoll_add(int epoll, int fd, int events, uint64_t tag);
int cbl_posix_epoll_change(int epoll, int fd, int events, uint64_t tag);
int cbl_posix_epoll_remove(int epoll, int fd);
/* Fills at most `count` entries; timeout as in cbl_posix_poll. */
int cbl_posix_epoll_wait(int epoll, struct cbl_posix_ready *ready, int count, int64_t timeout_ns);

int cbl_posix_eventfd(void);
int cbl_posix_eventfd_signal(int fd);
void cbl_posix_eventfd_clear(int fd);

/* 0 where there is none. */
uint32_t cbl_posix_interface_index(const char *name);
/* `name` has room for 16 bytes. 0, or -errno. */
int cbl_posix_interface_name(uint32_t index, char *name);

/* Starts a thread that blocks all signals: detached where `joinable` is NULL, else its name is put
 * there, and it has to be joined once. */
int cbl_posix_thread_start(void (*body)(void *), void *context, uint64_t *joinable);
void cbl_posix_thread_join(uint64_t thread);

/* Names on their way to addresses. `event` becomes readable with each answer, and stays the caller's.
 * NULL: no memory. */
struct cbl_posix_resolver *cbl_posix_resolver_new(int count, int event);
/* One of at most `count` names; `family`: AF_INET, AF_INET6 or 0 for both. No service: the answers get
 * `port`. 0, or -ENOMEM. */
int cbl_posix_resolver_add(struct cbl_posix_resolver *resolver, struct cbl_posix_slice host, struct cbl_posix_slice service,
                     uint16_t port, int family);
/* Starts looking the names up; returns how many threads do (0: none could be had). */
int cbl_posix_resolver_start(struct cbl_posix_resolver *resolver);
/* The next answer: how many addresses, which stay as long as the resolver does; -1: none has come.
 * `index`: of the name, in the order of `add`; `code`: 0, an errno, or one of the resolver's (below 0). */
int cbl_posix_resolver_take(struct cbl_posix_resolver *resolver, int *index, int *code,
                      const struct cbl_posix_endpoint **answers);
/* Lets go of it, whether the answers have come or not. */
void cbl_posix_resolver_free(struct cbl_posix_resolver *resolver);

/* The numbers of the errno names above are Linux's own; see Errno.swift. */
enum {
  CBL_POSIX_AF_UNIX = 1,
  CBL_POSIX_AF_INET = 2,
  CBL_POSIX_AF_INET6 = 10,
  CBL_POSIX_AF_NETLINK = 16,
  CBL_POSIX_SOCK_STREAM = 1,
  CBL_POSIX_SOCK_DGRAM = 2,
  CBL_POSIX_SOCK_RAW = 3,
  CBL_POSIX_IPPROTO_MPTCP = 262,
};

#endif
