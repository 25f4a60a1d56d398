/* What the C files of this target share. */
#ifndef CBL_POSIX_INTERNAL_H
#define CBL_POSIX_INTERNAL_H

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cbl_posix.h"

/* Every address that a socket here can have. */
union cbl_posix_address {
  struct sockaddr any;
  struct sockaddr_in inet;
  struct sockaddr_in6 inet6;
  struct sockaddr_un path;
  struct sockaddr_storage storage;
};

/* Writes the kernel's form of an IPv4 or IPv6 endpoint and returns its size. */
socklen_t cbl_posix_to_system(union cbl_posix_address *to, struct cbl_posix_endpoint from);

/* Writes the kernel's form of a Unix address and returns its size. `path`: a path, or '@' and an
 * abstract name. */
socklen_t cbl_posix_to_system_unix(union cbl_posix_address *to, const char *path, size_t count);

/* Reads an address of the kernel. `to->family` is 0 for a family that is not known here. */
void cbl_posix_from_system(struct cbl_posix_endpoint *to, const union cbl_posix_address *from);

/* Starts a detached thread with all signals blocked. Returns 0 or -errno. */
int cbl_posix_thread_start_detached(void *(*body)(void *), void *context, size_t stack_size);

/* The return value of a system call, or -errno in place of -1. */
static inline int64_t cbl_posix_result(int64_t value) { return value < 0 ? -errno : value; }

#endif
