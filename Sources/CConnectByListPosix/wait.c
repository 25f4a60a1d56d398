/* The clock, waiting (poll, epoll), and event descriptors. */
#define _GNU_SOURCE
#include "internal.h"

#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

int64_t cbl_posix_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cbl_posix_wall_clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Fills in a timeout, or returns NULL for a wait without end. */
static struct timespec *timespec_of(struct timespec *to, int64_t nanoseconds) {
  if (nanoseconds < 0) return NULL;
  to->tv_sec = nanoseconds / 1000000000;
  to->tv_nsec = nanoseconds % 1000000000;
  return to;
}

/* Whether a wait was refused as a system call: by a sandbox, or by a kernel that does not have it. What the others
 * say (EINTR, EINVAL, ENOMEM) they would say of every variant. */
static int is_denied(int error) { return error == EPERM || error == EACCES || error == ENOSYS; }

/* Rounded up: a wait must not end before its time. */
static int milliseconds_of(int64_t nanoseconds) {
  if (nanoseconds < 0) return -1;
  int64_t whole = nanoseconds / 1000000 + (nanoseconds % 1000000 != 0);
  return whole > INT_MAX ? INT_MAX : (int)whole;
}

/* `poll` takes whole milliseconds. Where they suffice it is a fifth cheaper than `ppoll`, which also writes the
 * remaining time back. Where one is denied the other is used; without descriptors, a sleep. */
static int wait_for(struct pollfd *first, nfds_t count, int64_t timeout_ns) {
  struct timespec timeout, *limit = timespec_of(&timeout, timeout_ns);
  int is_whole = timeout_ns <= 0 || (timeout_ns % 1000000 == 0 && timeout_ns / 1000000 <= INT_MAX);
  int ready = is_whole ? poll(first, count, milliseconds_of(timeout_ns)) : ppoll(first, count, limit, NULL);
  if (ready >= 0 || !is_denied(errno)) return ready;
  ready = is_whole ? ppoll(first, count, limit, NULL) : poll(first, count, milliseconds_of(timeout_ns));
  if (ready >= 0 || !is_denied(errno) || count > 0 || !limit) return ready;
  return nanosleep(limit, NULL);
}

int cbl_posix_poll(int fd, int events, int64_t timeout_ns) {
  struct pollfd one = {.fd = fd, .events = (short)events};
  /* None for no descriptor: RLIMIT_NOFILE, which may be 0 by now, bounds their number (EINVAL). */
  int ready = wait_for(&one, fd >= 0, timeout_ns);
  return ready < 0 ? -errno : ready == 0 ? 0 : one.revents;
}

int cbl_posix_poll_two(int fd, int events, int other_fd, int64_t timeout_ns, int *other_events) {
  struct pollfd two[2] = {{.fd = other_fd, .events = POLLIN}, {.fd = fd, .events = (short)events}};
  int ready = wait_for(two, fd >= 0 ? 2 : 1, timeout_ns);
  *other_events = ready > 0 ? two[0].revents : 0;
  return ready < 0 ? -errno : ready == 0 ? 0 : two[1].revents;
}

int cbl_posix_epoll_create(void) { return (int)cbl_posix_result(epoll_create1(EPOLL_CLOEXEC)); }

int cbl_posix_epoll_add(int epoll, int fd, int events, uint64_t tag) {
  struct epoll_event event = {.events = (uint32_t)events, .data.u64 = tag};
  return (int)cbl_posix_result(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int cbl_posix_epoll_change(int epoll, int fd, int events, uint64_t tag) {
  struct epoll_event event = {.events = (uint32_t)events, .data.u64 = tag};
  return (int)cbl_posix_result(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

int cbl_posix_epoll_remove(int epoll, int fd) {
  return (int)cbl_posix_result(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL));
}

int cbl_posix_epoll_wait(int epoll, struct cbl_posix_ready *ready, int count, int64_t timeout_ns) {
  struct epoll_event events[CBL_POSIX_BATCH_MAX];
  if (count > CBL_POSIX_BATCH_MAX) count = CBL_POSIX_BATCH_MAX;
  int found;
#ifdef SYS_epoll_pwait2
  /* By its number, because glibc has the function only since 2.35. It needs Linux 5.11. Older kernels
   * answer ENOSYS and some sandboxes EPERM or EACCES: then the wait is rounded up to a millisecond. */
  struct timespec timeout;
  found = (int)syscall(SYS_epoll_pwait2, epoll, events, count,
                       timespec_of(&timeout, timeout_ns), NULL, 0);
  if (found < 0 && is_denied(errno))
#endif
    found = epoll_wait(epoll, events, count, milliseconds_of(timeout_ns));
  if (found < 0) return -errno;
  for (int i = 0; i < found; i++) {
    ready[i].tag = events[i].data.u64;
    ready[i].events = events[i].events;
  }
  return found;
}

int cbl_posix_eventfd(void) {
  return (int)cbl_posix_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int cbl_posix_eventfd_signal(int fd) {
  uint64_t one = 1;
  struct iovec vector = {&one, sizeof one};
  /* A thread may wait for this without a timeout: where one call fails the other is used. */
  return write(fd, &one, sizeof one) < 0 && writev(fd, &vector, 1) < 0 ? -errno : 0;
}

void cbl_posix_eventfd_clear(int fd) {
  uint64_t count;
  struct iovec vector = {&count, sizeof count};
  /* EAGAIN: it was not signalled, so there is nothing to clear. What is not cleared would end each wait at once. */
  if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN && readv(fd, &vector, 1) < 0) return;
}
