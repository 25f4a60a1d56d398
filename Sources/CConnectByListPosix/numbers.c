/* Compares the numbers that Swift code states for itself with those of the system's headers. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cbl_posix.h"

/* A few of Errno.swift's numbers; a test compares all of them. They differ between architectures: MIPS,
 * SPARC, Alpha and PA-RISC have other ones. */
_Static_assert(EAGAIN == 11 && EINTR == 4 && EACCES == 13 && EMFILE == 24, "errno numbers");
_Static_assert(ECONNREFUSED == 111 && ETIMEDOUT == 110 && EHOSTUNREACH == 113, "errno numbers");
_Static_assert(ENETUNREACH == 101 && EADDRNOTAVAIL == 99 && EINPROGRESS == 115, "errno numbers");
_Static_assert(ECONNRESET == 104 && EAFNOSUPPORT == 97 && ECANCELED == 125, "errno numbers");

_Static_assert(AF_INET == CBL_POSIX_AF_INET && AF_INET6 == CBL_POSIX_AF_INET6, "families");
_Static_assert(AF_UNIX == CBL_POSIX_AF_UNIX && AF_NETLINK == CBL_POSIX_AF_NETLINK, "families");
_Static_assert((int)SOCK_STREAM == CBL_POSIX_SOCK_STREAM, "socket types");
_Static_assert((int)SOCK_DGRAM == CBL_POSIX_SOCK_DGRAM, "socket types");
_Static_assert((int)SOCK_RAW == CBL_POSIX_SOCK_RAW, "socket types");
_Static_assert(sizeof(struct sockaddr_un) == 110, "108 bytes of path after the family");

/* One set of numbers serves poll and epoll. */
_Static_assert(CBL_POSIX_READABLE == POLLIN && CBL_POSIX_READABLE == (int)EPOLLIN, "events");
_Static_assert(CBL_POSIX_WRITABLE == POLLOUT && CBL_POSIX_WRITABLE == (int)EPOLLOUT, "events");
_Static_assert(CBL_POSIX_FAILED == POLLERR && CBL_POSIX_FAILED == (int)EPOLLERR, "events");
_Static_assert(CBL_POSIX_HUNG_UP == POLLHUP && CBL_POSIX_HUNG_UP == (int)EPOLLHUP, "events");
