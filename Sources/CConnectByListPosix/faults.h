/* Tests make system calls fail here. To be included after every other header; outside the debug build it is empty. */
#ifndef CBL_POSIX_FAULTS_H
#define CBL_POSIX_FAULTS_H

#include "cbl_posix.h"

#ifdef CBL_POSIX_FAULTS

#include <time.h>

/* C: clock_gettime, or the clock of a thread in its own time. */
int cbl_posix_own_clock(clockid_t clock, struct timespec *now);

/* Around a wait of at most `span_ns`; the second returns `result`, which is the wait's. */
void cbl_posix_wait_begins(void);
int cbl_posix_wait_ends(int result, int64_t span_ns);
int64_t cbl_posix_span_of(const struct timespec *span);

/* Counts a call of this thread, and tells whether it fails; then errno is set. */
int cbl_posix_takes_fault(enum cbl_posix_call call);

#define CBL_FAULT(call, made) (cbl_posix_takes_fault(CBL_POSIX_CALL_##call) ? -1 : (made))
#define CBL_WAIT(call, made, span_ns) \
  CBL_FAULT(call, (cbl_posix_wait_begins(), cbl_posix_wait_ends(made, span_ns)))

/* A macro is not expanded inside its own expansion, so the call in it is the function's. */
#define socket(...) CBL_FAULT(SOCKET, socket(__VA_ARGS__))
#define connect(...) CBL_FAULT(CONNECT, connect(__VA_ARGS__))
#define bind(...) CBL_FAULT(BIND, bind(__VA_ARGS__))
#define listen(...) CBL_FAULT(LISTEN, listen(__VA_ARGS__))
#define accept4(...) CBL_FAULT(ACCEPT, accept4(__VA_ARGS__))
#define getsockname(...) CBL_FAULT(GETSOCKNAME, getsockname(__VA_ARGS__))
#define getpeername(...) CBL_FAULT(GETPEERNAME, getpeername(__VA_ARGS__))
#define shutdown(...) CBL_FAULT(SHUTDOWN, shutdown(__VA_ARGS__))
#define dup3(...) CBL_FAULT(DUP, dup3(__VA_ARGS__))
#define setsockopt(...) CBL_FAULT(SETSOCKOPT, setsockopt(__VA_ARGS__))
#define getsockopt(...) CBL_FAULT(GETSOCKOPT, getsockopt(__VA_ARGS__))
#define fcntl(...) CBL_FAULT(FCNTL, fcntl(__VA_ARGS__))
#define recv(...) CBL_FAULT(RECV, recv(__VA_ARGS__))
#define send(...) CBL_FAULT(SEND, send(__VA_ARGS__))
#define sendmsg(...) CBL_FAULT(SENDMSG, sendmsg(__VA_ARGS__))
#define recvmmsg(...) CBL_FAULT(RECVMMSG, recvmmsg(__VA_ARGS__))
#define poll(fds, count, ms) CBL_WAIT(POLL, poll(fds, count, ms), (ms) * INT64_C(1000000))
#define ppoll(fds, count, span, signals) CBL_WAIT(PPOLL, ppoll(fds, count, span, signals), cbl_posix_span_of(span))
#define epoll_create1(...) CBL_FAULT(EPOLL_CREATE, epoll_create1(__VA_ARGS__))
#define epoll_ctl(...) CBL_FAULT(EPOLL_CTL, epoll_ctl(__VA_ARGS__))
#define epoll_wait(epoll, events, count, ms) \
  CBL_WAIT(EPOLL_WAIT, epoll_wait(epoll, events, count, ms), (ms) * INT64_C(1000000))
/* The one call by number in the files that include this is epoll_pwait2. */
#define syscall(number, epoll, events, count, span, ...) \
  CBL_WAIT(EPOLL_PWAIT2, (int)syscall(number, epoll, events, count, span, __VA_ARGS__), cbl_posix_span_of(span))
#define nanosleep(span, left) \
  (cbl_posix_wait_begins(), cbl_posix_wait_ends(nanosleep(span, left), cbl_posix_span_of(span)))
#define clock_gettime(clock, now) cbl_posix_own_clock(clock, now)
#define eventfd(...) CBL_FAULT(EVENTFD, eventfd(__VA_ARGS__))
#define read(...) CBL_FAULT(READ, read(__VA_ARGS__))
#define write(...) CBL_FAULT(WRITE, write(__VA_ARGS__))
/* Closed all the same: Linux frees the number whatever `close` answers. */
#define close(fd) (cbl_posix_takes_fault(CBL_POSIX_CALL_CLOSE) ? (close(fd), -1) : close(fd))
#define realloc(...) (cbl_posix_takes_fault(CBL_POSIX_CALL_REALLOC) ? NULL : realloc(__VA_ARGS__))

#endif
#endif
