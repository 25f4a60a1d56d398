#define _GNU_SOURCE
#include "cbl_posix.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "address.h"

/* Errno.swift and the driver have these numbers as they stand here. */
_Static_assert(EAGAIN == 11 && EINTR == 4 && EACCES == 13 && EMFILE == 24, "errno numbers");
_Static_assert(ECONNREFUSED == 111 && ETIMEDOUT == 110 && EHOSTUNREACH == 113, "errno numbers");
_Static_assert(ENETUNREACH == 101 && EADDRNOTAVAIL == 99 && EINPROGRESS == 115, "errno numbers");
_Static_assert(ECONNRESET == 104 && EAFNOSUPPORT == 97 && ECANCELED == 125, "errno numbers");
_Static_assert(AF_INET == CBL_POSIX_AF_INET && AF_INET6 == CBL_POSIX_AF_INET6, "families");
_Static_assert(AF_UNIX == CBL_POSIX_AF_UNIX && sizeof(struct sockaddr_un) == 110, "Unix addresses");
_Static_assert((int)SOCK_STREAM == CBL_POSIX_SOCK_STREAM && (int)SOCK_DGRAM == CBL_POSIX_SOCK_DGRAM, "types");
_Static_assert(AF_NETLINK == CBL_POSIX_AF_NETLINK && (int)SOCK_RAW == CBL_POSIX_SOCK_RAW, "netlink");
_Static_assert(CBL_POSIX_READABLE == POLLIN && CBL_POSIX_READABLE == (int)EPOLLIN, "events");
_Static_assert(CBL_POSIX_WRITABLE == POLLOUT && CBL_POSIX_WRITABLE == (int)EPOLLOUT, "events");
_Static_assert(CBL_POSIX_FAILED == POLLERR && CBL_POSIX_FAILED == (int)EPOLLERR, "events");
_Static_assert(CBL_POSIX_HUNG_UP == POLLHUP && CBL_POSIX_HUNG_UP == (int)EPOLLHUP, "events");

static inline int64_t result(int64_t value) { return value < 0 ? -errno : value; }

int64_t cbl_posix_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- addresses --- */

static void store_big_endian(uint8_t *bytes, uint64_t value) {
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t load_big_endian(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
  return value;
}

socklen_t cbl_posix_to_system(union cbl_posix_address *to, struct cbl_posix_endpoint from) {
  if (from.family == 4) {
    memset(&to->inet, 0, sizeof to->inet);
    to->inet.sin_family = AF_INET;
    to->inet.sin_port = htons(from.port);
    to->inet.sin_addr.s_addr = htonl((uint32_t)from.low);
    return sizeof to->inet;
  }
  memset(&to->inet6, 0, sizeof to->inet6);
  to->inet6.sin6_family = AF_INET6;
  to->inet6.sin6_port = htons(from.port);
  to->inet6.sin6_scope_id = from.scope;
  store_big_endian(to->inet6.sin6_addr.s6_addr, from.high);
  store_big_endian(to->inet6.sin6_addr.s6_addr + 8, from.low);
  return sizeof to->inet6;
}

static socklen_t to_system_unix(union cbl_posix_address *to, const char *path, size_t count) {
  memset(&to->path, 0, sizeof to->path);
  to->path.sun_family = AF_UNIX;
  if (count > sizeof to->path.sun_path) count = sizeof to->path.sun_path;
  memcpy(to->path.sun_path, path, count);
  /* An abstract name begins with a NUL and ends where the length says; a path ends at its NUL. No
   * path at all must not become a name of NULs. */
  if (count > 0 && path[0] != '@') return sizeof to->path;
  to->path.sun_path[0] = '\0';
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count);
}

void cbl_posix_from_system(struct cbl_posix_endpoint *to, const union cbl_posix_address *from) {
  memset(to, 0, sizeof *to);
  switch (from->any.sa_family) {
    case AF_INET:
      to->family = 4;
      to->port = ntohs(from->inet.sin_port);
      to->low = UINT64_C(0xffff00000000) | ntohl(from->inet.sin_addr.s_addr);
      break;
    case AF_INET6:
      to->family = 6;
      to->port = ntohs(from->inet6.sin6_port);
      to->scope = from->inet6.sin6_scope_id;
      to->high = load_big_endian(from->inet6.sin6_addr.s6_addr);
      to->low = load_big_endian(from->inet6.sin6_addr.s6_addr + 8);
      break;
    case AF_UNIX:
      to->family = 1;
      break;
    default:
      break;
  }
}

int cbl_posix_endpoint_from_sockaddr(const void *sockaddr, size_t size, struct cbl_posix_endpoint *endpoint) {
  union cbl_posix_address address;
  sa_family_t family;
  if (size < offsetof(struct sockaddr, sa_family) + sizeof family) return -EINVAL;
  memcpy(&family, (const char *)sockaddr + offsetof(struct sockaddr, sa_family), sizeof family);
  if (family != AF_INET && family != AF_INET6) return -EINVAL;
  size_t needed = family == AF_INET ? sizeof address.inet : sizeof address.inet6;
  if (size < needed) return -EINVAL;
  memcpy(&address, sockaddr, needed);
  cbl_posix_from_system(endpoint, &address);
  return 0;
}

size_t cbl_posix_endpoint_to_sockaddr(struct cbl_posix_endpoint endpoint, void *sockaddr) {
  union cbl_posix_address address;
  size_t size = cbl_posix_to_system(&address, endpoint);
  memcpy(sockaddr, &address, size);
  return size;
}

size_t cbl_posix_sockaddr_size(int domain) {
  switch (domain) {
    case AF_INET: return sizeof(struct sockaddr_in);
    case AF_INET6: return sizeof(struct sockaddr_in6);
    case AF_UNIX: return sizeof(struct sockaddr_un);
    default: return sizeof(struct sockaddr_storage);
  }
}

void cbl_posix_set_errno(int number) { errno = number; }

/* --- sockets --- */

int cbl_posix_socket(int family, int type, int protocol) {
  return (int)result(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int cbl_posix_connect(int fd, struct cbl_posix_endpoint remote) {
  union cbl_posix_address address;
  socklen_t size = cbl_posix_to_system(&address, remote);
  return (int)result(connect(fd, &address.any, size));
}

int cbl_posix_connect_unix(int fd, const void *path, size_t count) {
  union cbl_posix_address address;
  socklen_t size = to_system_unix(&address, path, count);
  return (int)result(connect(fd, &address.any, size));
}

int cbl_posix_disconnect(int fd) {
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  return (int)result(connect(fd, &none, sizeof none));
}

int cbl_posix_bind(int fd, struct cbl_posix_endpoint local) {
  union cbl_posix_address address;
  socklen_t size = cbl_posix_to_system(&address, local);
  return (int)result(bind(fd, &address.any, size));
}

int cbl_posix_bind_unix(int fd, const void *path, size_t count) {
  union cbl_posix_address address;
  socklen_t size = to_system_unix(&address, path, count);
  return (int)result(bind(fd, &address.any, size));
}

int cbl_posix_unlink_unix(const void *path, size_t count) {
  union cbl_posix_address address;
  to_system_unix(&address, path, count);
  return address.path.sun_path[0] ? (int)result(unlink(address.path.sun_path)) : 0;
}

int cbl_posix_listen(int fd, int backlog) { return (int)result(listen(fd, backlog)); }

int cbl_posix_accept(int fd) {
  return (int)result(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int cbl_posix_local_endpoint(int fd, struct cbl_posix_endpoint *endpoint) {
  union cbl_posix_address address;
  socklen_t size = sizeof address;
  if (getsockname(fd, &address.any, &size) < 0) return -errno;
  cbl_posix_from_system(endpoint, &address);
  return 0;
}

int cbl_posix_remote_endpoint(int fd, struct cbl_posix_endpoint *endpoint) {
  union cbl_posix_address address;
  socklen_t size = sizeof address;
  if (getpeername(fd, &address.any, &size) < 0) return -errno;
  cbl_posix_from_system(endpoint, &address);
  return 0;
}

int cbl_posix_unix_path(int fd, int of_peer, void *path) {
  union cbl_posix_address address;
  socklen_t size = sizeof address.path;
  int code = of_peer ? getpeername(fd, &address.any, &size) : getsockname(fd, &address.any, &size);
  if (code < 0) return -errno;
  /* The kernel says 111 of a path of 108 bytes: it counts a NUL that did not fit. */
  if (size > sizeof address.path) size = sizeof address.path;
  if (address.any.sa_family != AF_UNIX || size <= offsetof(struct sockaddr_un, sun_path)) return 0;
  size_t count = size - offsetof(struct sockaddr_un, sun_path);
  const char *name = address.path.sun_path;
  if (name[0]) count = strnlen(name, count);
  memcpy(path, name, count);
  if (!name[0]) *(char *)path = '@';
  return (int)count;
}

int cbl_posix_shutdown(int fd, int how) { return (int)result(shutdown(fd, how)); }

int cbl_posix_close(int fd) { return (int)result(close(fd)); }

int cbl_posix_duplicate_onto(int fd, int target, int closes_on_exec) {
  return (int)result(dup3(fd, target, closes_on_exec ? O_CLOEXEC : 0));
}

int cbl_posix_set_option(int fd, int level, int name, const void *value, size_t size) {
  return (int)result(setsockopt(fd, level, name, value, (socklen_t)size));
}

int cbl_posix_get_option(int fd, int level, int name, void *value, size_t *size) {
  socklen_t length = (socklen_t)*size;
  if (getsockopt(fd, level, name, value, &length) < 0) return -errno;
  *size = length;
  return 0;
}

int cbl_posix_is_mptcp(int fd) {
  /* The first fields of struct mptcp_info; SOL_MPTCP 284, MPTCP_INFO 1 (linux/mptcp.h). */
  struct {
    uint8_t counts[6];
    uint32_t flags;
  } info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  /* One that fell back answers as TCP does: EOPNOTSUPP, for IPv6 ENOPROTOOPT (Linux 6.18). */
  if (getsockopt(fd, 284, 1, &info, &size) < 0) return 0;
  return (info.flags & 1) == 0; /* MPTCP_INFO_FLAG_FALLBACK */
}

int cbl_posix_resent_count(int fd) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return 0;
  return (int)info.tcpi_total_retrans;
}

int cbl_posix_is_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -errno : (flags & O_NONBLOCK) != 0;
}

int cbl_posix_closes_on_exec(int fd) {
  int flags = fcntl(fd, F_GETFD);
  return flags < 0 ? -errno : (flags & FD_CLOEXEC) != 0;
}

int cbl_posix_is_connecting(int fd) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return 0;
  return info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_SYN_RECV;
}

int cbl_posix_is_bound(int fd) {
  union cbl_posix_address address;
  socklen_t size = sizeof address;
  if (getsockname(fd, &address.any, &size) < 0) return -errno;
  if (address.any.sa_family == AF_UNIX) return size > sizeof address.any.sa_family;
  struct cbl_posix_endpoint endpoint;
  cbl_posix_from_system(&endpoint, &address);
  return endpoint.port != 0 || endpoint.high != 0 || (uint32_t)endpoint.low != 0;
}

int cbl_posix_set_nonblocking(int fd, int on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  return wanted == flags ? 0 : (int)result(fcntl(fd, F_SETFL, wanted));
}

/* --- bytes --- */

int64_t cbl_posix_find_byte(const void *bytes, size_t count, int byte) {
  const char *found = count > 0 ? memchr(bytes, byte, count) : NULL;
  return found ? found - (const char *)bytes : -1;
}

int64_t cbl_posix_receive(int fd, void *bytes, size_t count) { return result(recv(fd, bytes, count, 0)); }

int64_t cbl_posix_send(int fd, const void *bytes, size_t count) {
  return result(send(fd, bytes, count, MSG_NOSIGNAL));
}

int64_t cbl_posix_send_slices(int fd, const struct cbl_posix_slice *slices, size_t count) {
  struct iovec vectors[64];
  if (count > 64) count = 64;
  for (size_t i = 0; i < count; i++) {
    vectors[i].iov_base = (void *)(uintptr_t)slices[i].bytes;
    vectors[i].iov_len = slices[i].count;
  }
  struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
  return result(sendmsg(fd, &message, MSG_NOSIGNAL));
}

int cbl_posix_netlink_receive(int fd, void *slots, size_t slot_size, uint32_t *sizes, int count) {
  struct mmsghdr messages[64];
  struct iovec vectors[64];
  struct sockaddr_nl senders[64];
  if (count > 64) count = 64;
  for (int i = 0; i < count; i++) {
    vectors[i] = (struct iovec){(char *)slots + (size_t)i * slot_size, slot_size};
    messages[i].msg_hdr = (struct msghdr){.msg_name = &senders[i],
                                          .msg_namelen = sizeof senders[i],
                                          .msg_iov = &vectors[i],
                                          .msg_iovlen = 1};
  }
  /* With MSG_TRUNC the length is the datagram's, not that of the part that fitted. */
  int received = recvmmsg(fd, messages, (unsigned)count, MSG_TRUNC, NULL);
  if (received < 0) return -errno;
  for (int i = 0; i < received; i++) sizes[i] = senders[i].nl_pid == 0 ? messages[i].msg_len : 0;
  return received;
}

/* --- waiting --- */

static struct timespec *span(struct timespec *to, int64_t nanoseconds) {
  if (nanoseconds < 0) return NULL;
  to->tv_sec = nanoseconds / 1000000000;
  to->tv_nsec = nanoseconds % 1000000000;
  return to;
}

int cbl_posix_poll(int fd, int events, int64_t timeout_ns) {
  struct timespec timeout;
  struct pollfd one = {.fd = fd, .events = (short)events};
  /* `poll` does not write back what is left: it costs a fifth less where it can say the time. */
  int is_whole = timeout_ns <= 0 || (timeout_ns % 1000000 == 0 && timeout_ns / 1000000 <= INT_MAX);
  int ready = is_whole ? poll(&one, 1, timeout_ns < 0 ? -1 : (int)(timeout_ns / 1000000))
                       : ppoll(&one, 1, span(&timeout, timeout_ns), NULL);
  return ready < 0 ? -errno : ready == 0 ? 0 : one.revents;
}

int cbl_posix_poll_two(int fd, int events, int other_fd, int64_t timeout_ns, int *other_events) {
  struct timespec timeout;
  struct pollfd two[2] = {{.fd = fd, .events = (short)events}, {.fd = other_fd, .events = POLLIN}};
  int ready = ppoll(two, 2, span(&timeout, timeout_ns), NULL);
  *other_events = ready > 0 ? two[1].revents : 0;
  return ready < 0 ? -errno : ready == 0 ? 0 : two[0].revents;
}

int cbl_posix_epoll_create(void) { return (int)result(epoll_create1(EPOLL_CLOEXEC)); }

int cbl_posix_epoll_add(int epoll, int fd, int events, uint64_t tag) {
  struct epoll_event event = {.events = (uint32_t)events, .data.u64 = tag};
  return (int)result(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int cbl_posix_epoll_change(int epoll, int fd, int events, uint64_t tag) {
  struct epoll_event event = {.events = (uint32_t)events, .data.u64 = tag};
  return (int)result(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

int cbl_posix_epoll_remove(int epoll, int fd) {
  return (int)result(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL));
}

int cbl_posix_epoll_wait(int epoll, struct cbl_posix_ready *ready, int count, int64_t timeout_ns) {
  struct epoll_event events[64];
  if (count > 64) count = 64;
  int found;
#ifdef SYS_epoll_pwait2
  /* By number: glibc has the function since 2.35 only. Linux 5.11; older kernels and some sandboxes
   * refuse it, and then the wait is rounded up to a millisecond. */
  struct timespec timeout;
  found = (int)syscall(SYS_epoll_pwait2, epoll, events, count, span(&timeout, timeout_ns), NULL, 0);
  if (found < 0 && (errno == ENOSYS || errno == EPERM))
#endif
  {
    int64_t ms = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;
    found = epoll_wait(epoll, events, count, ms > INT32_MAX ? INT32_MAX : (int)ms);
  }
  if (found < 0) return -errno;
  for (int i = 0; i < found; i++) {
    ready[i].tag = events[i].data.u64;
    ready[i].events = events[i].events;
  }
  return found;
}

int cbl_posix_eventfd(void) { return (int)result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void cbl_posix_eventfd_clear(int fd) {
  uint64_t count;
  /* Nothing there is as good as cleared. */
  if (read(fd, &count, sizeof count) < 0) return;
}

int cbl_posix_eventfd_signal(int fd) {
  uint64_t one = 1;
  return write(fd, &one, sizeof one) < 0 ? -errno : 0;
}

/* --- interfaces, threads --- */

uint32_t cbl_posix_interface_index(const char *name) { return if_nametoindex(name); }

int cbl_posix_interface_name(uint32_t index, char *name) {
  return if_indextoname(index, name) ? 0 : -errno;
}

struct thread_start {
  void (*body)(void *);
  void *context;
};

static void *thread_main(void *argument) {
  struct thread_start start = *(struct thread_start *)argument;
  free(argument);
  start.body(start.context);
  return NULL;
}

/* `joinable`: where the thread's name goes; NULL: it is detached. */
static int start_thread(void *(*body)(void *), void *context, size_t stack_size,
                        uint64_t *joinable) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (!joinable) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack_size);
  /* The program's signals are the program's: ours inherits a full mask. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, body, context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (!error && joinable) *joinable = (uint64_t)thread;
  return -error;
}

int cbl_posix_thread_start_detached(void *(*body)(void *), void *context, size_t stack_size) {
  return start_thread(body, context, stack_size, NULL);
}

int cbl_posix_thread_start(void (*body)(void *), void *context, uint64_t *joinable) {
  struct thread_start *start = malloc(sizeof *start);
  if (!start) return -ENOMEM;
  start->body = body;
  start->context = context;
  int code = start_thread(thread_main, start, 256 * 1024, joinable);
  if (code < 0) free(start);
  return code;
}

void cbl_posix_thread_join(uint64_t thread) { pthread_join((pthread_t)thread, NULL); }
