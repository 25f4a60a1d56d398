/* System calls in a form that Embedded Swift can call: not variadic, no errno variable, no unions.
 *
 * Unless it says otherwise a function returns its result, 0 or more, or -errno; errno is read before any
 * other call can change it. No function retries and none decides: what happens on EINTR and on errors is
 * said in ConnectByList/Kernel, whose files alone call these functions. */
#ifndef CBL_POSIX_H
#define CBL_POSIX_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/* --- numbers and values --- */

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

/* Events of poll and epoll. */
enum {
  CBL_POSIX_READABLE = 0x001, /* POLLIN, EPOLLIN */
  CBL_POSIX_WRITABLE = 0x004, /* POLLOUT, EPOLLOUT */
  CBL_POSIX_FAILED = 0x008,   /* POLLERR, EPOLLERR: SO_ERROR is set */
  CBL_POSIX_HUNG_UP = 0x010,  /* POLLHUP, EPOLLHUP */
  CBL_POSIX_PEER_ENDED = 0x2000, /* EPOLLRDHUP: the peer has ended its stream; only where it is asked for */
};

/* The most slices, datagrams or ready descriptors that one call handles. */
enum { CBL_POSIX_BATCH_MAX = 64 };

/* An endpoint in the core's form: an IPv4 address is ::ffff:a.b.c.d. `family`: 4, 6, 1 for a Unix address,
 * 0 for any other. */
struct cbl_posix_endpoint {
  uint64_t high;
  uint64_t low;
  uint32_t scope;
  uint16_t port;
  uint8_t family;
};

/* Bytes that belong to the caller. */
struct cbl_posix_slice {
  const void *bytes;
  size_t count;
};

/* A ready descriptor of an epoll set, by the tag that it was added with. */
struct cbl_posix_ready {
  uint64_t tag;
  uint32_t events; /* CBL_POSIX_READABLE | ... */
};

/* --- address.c: a C caller's addresses, at any alignment --- */

/* Reads a struct sockaddr_in or sockaddr_in6. Returns -EINVAL for another family and for a size below the
 * family's structure; a larger size is accepted. */
int cbl_posix_endpoint_from_sockaddr(const void *sockaddr, size_t size,
                                     struct cbl_posix_endpoint *endpoint);

/* Writes the structure of the endpoint's family, 4 or 6, and returns its size. */
size_t cbl_posix_endpoint_to_sockaddr(struct cbl_posix_endpoint endpoint, void *sockaddr);

/* The size of the address structure of a domain (AF_INET ...). */
size_t cbl_posix_sockaddr_size(int domain);

/* --- socket.c --- */

/* A non-blocking, close-on-exec socket. C: socket. */
int cbl_posix_socket(int family, int type, int protocol);

/* C: connect. */
int cbl_posix_connect(int fd, struct cbl_posix_endpoint remote);

/* `path`: at most 107 bytes of a path, or '@' and at most 107 bytes of an abstract name. */
int cbl_posix_connect_unix(int fd, const void *path, size_t count);

/* Makes a datagram socket forget its peer, and the source address that was chosen for it. C: connect with
 * AF_UNSPEC. */
int cbl_posix_disconnect(int fd);

/* C: bind. */
int cbl_posix_bind(int fd, struct cbl_posix_endpoint local);

/* `path` as in cbl_posix_connect_unix. */
int cbl_posix_bind_unix(int fd, const void *path, size_t count);

/* Removes the file of a Unix path; does nothing for an abstract name. C: unlink. */
int cbl_posix_unlink_unix(const void *path, size_t count);

/* C: listen. */
int cbl_posix_listen(int fd, int backlog);

/* The next connection, non-blocking and close-on-exec. C: accept4. */
int cbl_posix_accept(int fd);

/* C: getsockname. */
int cbl_posix_local_endpoint(int fd, struct cbl_posix_endpoint *endpoint);

/* C: getpeername. */
int cbl_posix_remote_endpoint(int fd, struct cbl_posix_endpoint *endpoint);

/* Writes the path that a Unix socket, or with `of_peer` its peer, is bound to, in the form of
 * cbl_posix_connect_unix. `path` has room for 108 bytes. Returns their count: 0 for an unnamed socket and for
 * one that is no Unix socket. */
int cbl_posix_unix_path(int fd, int of_peer, void *path);

/* 1 for a socket that has a local address or port, else 0. One that shows a port because an earlier connect failed
 * is not bound, and shows none afterwards. */
int cbl_posix_is_bound(int fd);

/* C: shutdown. */
int cbl_posix_shutdown(int fd, int how);

/* C: close. */
int cbl_posix_close(int fd);

/* C: dup3. */
int cbl_posix_duplicate_onto(int fd, int target, int closes_on_exec);

/* --- option.c --- */

/* C: setsockopt. */
int cbl_posix_set_option(int fd, int level, int name, const void *value, size_t size);

/* `size`: in, the room at `value`; out, the bytes written. C: getsockopt. */
int cbl_posix_get_option(int fd, int level, int name, void *value, size_t *size);

/* 1 for a connected socket of Multipath TCP that has not fallen back to TCP, else 0. Always 0 before Linux
 * 5.16, which has no MPTCP_INFO. */
int cbl_posix_is_mptcp(int fd);

/* How often the socket has sent a segment again (TCP_INFO's tcpi_total_retrans); 0 for what is not TCP. */
int cbl_posix_resent_count(int fd);

/* 1 while a TCP socket's handshake is under way, else 0. */
int cbl_posix_is_connecting(int fd);

/* 1 where O_NONBLOCK is set, 0 where it is not. */
int cbl_posix_is_nonblocking(int fd);

/* Sets or clears O_NONBLOCK. */
int cbl_posix_set_nonblocking(int fd, int on);

/* 1 where FD_CLOEXEC is set, 0 where it is not. */
int cbl_posix_closes_on_exec(int fd);

/* --- transfer.c --- */

/* The index of the first `byte`, or -1. C: memchr. */
int64_t cbl_posix_find_byte(const void *bytes, size_t count, int byte);

/* C: recv. */
int64_t cbl_posix_receive(int fd, void *bytes, size_t count);

/* A peer that is gone is EPIPE, never a SIGPIPE. C: send with MSG_NOSIGNAL. */
int64_t cbl_posix_send(int fd, const void *bytes, size_t count);

/* Sends the first CBL_POSIX_BATCH_MAX slices in one call. C: sendmsg with MSG_NOSIGNAL. */
int64_t cbl_posix_send_slices(int fd, const struct cbl_posix_slice *slices, size_t count);

/* Receives the netlink datagrams that are queued, at most `count` and CBL_POSIX_BATCH_MAX, each into its
 * own slot of `slot_size` bytes, and returns their count. sizes[i]: the datagram's whole size, which is above
 * slot_size where it was truncated; 0 where the kernel did not send it. C: recvmmsg. */
int cbl_posix_netlink_receive(int fd, void *slots, size_t slot_size, uint32_t *sizes, int count);

/* The text of an errno in English; NULL for none. C: strerrordesc_np. */
const char *cbl_posix_error_text(int number);

/* --- wait.c; a timeout below 0 is no timeout --- */

/* CLOCK_MONOTONIC in nanoseconds. Cannot fail on Linux. */
int64_t cbl_posix_monotonic_ns(void);

/* CLOCK_REALTIME in nanoseconds since 1970. */
int64_t cbl_posix_wall_clock_ns(void);

/* Waits for one descriptor. Returns its ready events, 0 at the timeout. */
int cbl_posix_poll(int fd, int events, int64_t timeout_ns);

/* Also waits until `other_fd` is readable; its events are stored in `other_events`. */
int cbl_posix_poll_two(int fd, int events, int other_fd, int64_t timeout_ns, int *other_events);

/* C: epoll_create1, epoll_ctl with EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL. */
int cbl_posix_epoll_create(void);
int cbl_posix_epoll_add(int epoll, int fd, int events, uint64_t tag);
int cbl_posix_epoll_change(int epoll, int fd, int events, uint64_t tag);
int cbl_posix_epoll_remove(int epoll, int fd);

/* Fills at most `count` and CBL_POSIX_BATCH_MAX entries of `ready` and returns how many. */
int cbl_posix_epoll_wait(int epoll, struct cbl_posix_ready *ready, int count, int64_t timeout_ns);

/* A non-blocking, close-on-exec event descriptor. C: eventfd. */
int cbl_posix_eventfd(void);

/* Makes an event descriptor readable. Safe in a signal handler. */
int cbl_posix_eventfd_signal(int fd);

/* Makes it unreadable again. */
void cbl_posix_eventfd_clear(int fd);

/* --- thread.c --- */

/* Runs `body` on a new thread that blocks all signals. `joinable`: where its handle is stored, which has to
 * be joined once; NULL: the thread is detached. */
int cbl_posix_thread_start(void (*body)(void *), void *context, uint64_t *joinable);

/* Waits until the thread has ended. */
void cbl_posix_thread_join(uint64_t thread);

/* A lock for the threads of this process; NULL: out of memory. C: pthread_mutex_init, _destroy, _lock,
 * _unlock. */
void *cbl_posix_lock_new(void);
void cbl_posix_lock_free(void *lock);
void cbl_posix_lock_take(void *lock);
void cbl_posix_lock_release(void *lock);

/* --- allocation.c --- */

/* Changes the size of memory, or allocates it (`memory` NULL), at least 1 byte. NULL: there is not so much, and
 * `memory` is as it was. C: realloc. */
void *cbl_posix_resize(void *memory, size_t size);

/* C: free. */
void cbl_posix_free(void *memory);

/* --- faults.c: debug builds only, for tests --- */

enum cbl_posix_call {
  CBL_POSIX_CALL_SOCKET,
  CBL_POSIX_CALL_CONNECT,
  CBL_POSIX_CALL_BIND,
  CBL_POSIX_CALL_LISTEN,
  CBL_POSIX_CALL_ACCEPT,
  CBL_POSIX_CALL_GETSOCKNAME,
  CBL_POSIX_CALL_GETPEERNAME,
  CBL_POSIX_CALL_SHUTDOWN,
  CBL_POSIX_CALL_DUP,
  CBL_POSIX_CALL_SETSOCKOPT,
  CBL_POSIX_CALL_GETSOCKOPT,
  CBL_POSIX_CALL_FCNTL,
  CBL_POSIX_CALL_RECV,
  CBL_POSIX_CALL_SEND,
  CBL_POSIX_CALL_SENDMSG,
  CBL_POSIX_CALL_RECVMMSG,
  CBL_POSIX_CALL_POLL,
  CBL_POSIX_CALL_PPOLL,
  CBL_POSIX_CALL_EPOLL_CREATE,
  CBL_POSIX_CALL_EPOLL_CTL,
  CBL_POSIX_CALL_EPOLL_WAIT,
  CBL_POSIX_CALL_EPOLL_PWAIT2,
  CBL_POSIX_CALL_EVENTFD,
  CBL_POSIX_CALL_READ,
  CBL_POSIX_CALL_WRITE,
  CBL_POSIX_CALL_CLOSE,
  CBL_POSIX_CALL_REALLOC,
  CBL_POSIX_CALL_COUNT
};

/* The calling thread's calls number `first` to `last`, counted from 1 and from now on, fail with `error`, without
 * being made (`close` is made); error 0: none fails. */
void cbl_posix_set_fault(enum cbl_posix_call call, long first, long last, int error);

/* How many such calls the thread has made since its fault was set. */
long cbl_posix_calls_made(enum cbl_posix_call call);

/* From now on each such call, in every thread, is made this much later; 0: at once. So that what other threads do in
 * the meantime comes before it. */
void cbl_posix_set_delay(enum cbl_posix_call call, int microseconds);

/* From now on the calling thread is in its own time: for it the monotonic clock stands still but in waits that time out,
 * which add their length to it, and by a microsecond at each look at it. A wait that times out while another thread of
 * the process is not asleep adds nothing: it returns as after a signal. So a deadline passes only where nothing was left
 * to happen, whatever the load of the machine, and exactly. */
void cbl_posix_begin_own_time(void);

/* Ends that. Returns for how many nanoseconds of the system's clock the thread slept elsewhere than in a wait; without
 * the time that it did not get a processor, where the kernel tells it. */
int64_t cbl_posix_end_own_time(void);

/* --- system.c, secret.c --- */

/* C: getpid. */
int cbl_posix_process(void);

/* Bytes of the processor's second-level cache; 0 or less where they are not known. C: sysconf. */
int64_t cbl_posix_second_level_cache_size(void);

/* Reads a file from its start, at most `size` bytes of it. Returns how many, or -errno. C: open, read, close. */
int64_t cbl_posix_read_file(const uint8_t *path, void *bytes, size_t size);

/* The user that the kernel looks routes up for, when a socket of this process connects; -1: the real user, as
 * for a request over netlink. C: geteuid, where the two may differ. */
int64_t cbl_posix_routing_user(void);

/* The index of an interface; 0 where there is none of this name. */
uint32_t cbl_posix_interface_index(const char *name);

/* Writes the name of an interface, NUL included, into `name`, which has room for 16 bytes. */
int cbl_posix_interface_name(uint32_t index, char *name);

/* 128 bits that input cannot predict, the same for the life of the process; a forked child has its parent's.
 * Never blocks and never fails. C: getrandom; early in boot, and where a sandbox refuses that, they are made
 * from addresses and the clock. */
void cbl_posix_hash_secret(uint64_t secret[2]);

/* Sets the calling thread's errno, for functions that C programs call. */
void cbl_posix_set_errno(int number);

/* --- resolver.c, lookup.c: the system's resolver on threads of their own --- */

struct cbl_posix_resolver;

/* What is asked about a name. */
enum { CBL_POSIX_ASKS_IPV4 = 4, CBL_POSIX_ASKS_IPV6 = 6, CBL_POSIX_ASKS_SERVICES = 33 /* SRV */ };

/* Codes of an answer that the resolver's own codes (EAI_..., below 0 and above -256) do not tell apart. */
enum {
  CBL_POSIX_NAME_NO_ANSWER = -1001, /* EAI_AGAIN: no name server answered in time */
  CBL_POSIX_NAME_TOO_MANY = -1002,  /* EAI_AGAIN: 512 lookups of this process hang */
  CBL_POSIX_NAME_NO_IDN = -1003,    /* EAI_IDN_ENCODE: there is no libidn2 */
  CBL_POSIX_NAME_NO_UTF8 = -1004,   /* EAI_IDN_ENCODE: there is no locale C.UTF-8 */
};

/* An SRV record. */
struct cbl_posix_service {
  uint16_t priority;
  uint16_t weight;
  uint16_t port;
  char target[1025]; /* NS_MAXDNAME: with escapes */
};

struct cbl_posix_answer {
  int tag;   /* of the question */
  int code;  /* 0, an errno, an EAI code (below 0), or one of the above */
  int count; /* of `endpoints`, or of `services` */
  const struct cbl_posix_endpoint *endpoints;
  const struct cbl_posix_service *services;
};

/* Makes a resolver. `event`: an event descriptor that each answer makes readable; it stays the caller's. NULL: out
 * of memory. */
struct cbl_posix_resolver *cbl_posix_resolver_new(int event);

/* Adds a question about a host. `service`: its name, for addresses; where it is empty the answers get `port`. `tag`
 * is in the answer. Returns 0 or -ENOMEM. */
int cbl_posix_resolver_add(struct cbl_posix_resolver *resolver, int kind, struct cbl_posix_slice host,
                           struct cbl_posix_slice service, uint16_t port, int tag);

/* Starts the lookups that were added. */
void cbl_posix_resolver_start(struct cbl_posix_resolver *resolver);

/* Takes the next answer; NULL where none has come. It is valid until the next call. */
const struct cbl_posix_answer *cbl_posix_resolver_take(struct cbl_posix_resolver *resolver);

/* The target of an SRV record, and its size without the NUL. */
const void *cbl_posix_service_target(const struct cbl_posix_service *service);
size_t cbl_posix_service_target_size(const struct cbl_posix_service *service);

/* Frees the resolver. Lookups that are still running end on their own, and their answers are dropped. */
void cbl_posix_resolver_free(struct cbl_posix_resolver *resolver);

#endif
