/* Sockets: making, connecting, binding, accepting, naming, closing. */
#define _GNU_SOURCE
#include "internal.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"

int cbl_posix_socket(int family, int type, int protocol) {
  return (int)cbl_posix_result(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int cbl_posix_connect(int fd, struct cbl_posix_endpoint remote) {
  union cbl_posix_address address;
  socklen_t size = cbl_posix_to_system(&address, remote);
  return (int)cbl_posix_result(connect(fd, &address.any, size));
}

int cbl_posix_connect_unix(int fd, const void *path, size_t count) {
  union cbl_posix_address address;
  socklen_t size = cbl_posix_to_system_unix(&address, path, count);
  return (int)cbl_posix_result(connect(fd, &address.any, size));
}

int cbl_posix_disconnect(int fd) {
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  return (int)cbl_posix_result(connect(fd, &none, sizeof none));
}

int cbl_posix_bind(int fd, struct cbl_posix_endpoint local) {
  union cbl_posix_address address;
  socklen_t size = cbl_posix_to_system(&address, local);
  return (int)cbl_posix_result(bind(fd, &address.any, size));
}

int cbl_posix_bind_unix(int fd, const void *path, size_t count) {
  union cbl_posix_address address;
  socklen_t size = cbl_posix_to_system_unix(&address, path, count);
  return (int)cbl_posix_result(bind(fd, &address.any, size));
}

int cbl_posix_unlink_unix(const void *path, size_t count) {
  union cbl_posix_address address;
  cbl_posix_to_system_unix(&address, path, count);
  return address.path.sun_path[0] ? (int)cbl_posix_result(unlink(address.path.sun_path)) : 0;
}

int cbl_posix_listen(int fd, int backlog) { return (int)cbl_posix_result(listen(fd, backlog)); }

int cbl_posix_accept(int fd) {
  return (int)cbl_posix_result(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
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
  /* For a path of 108 bytes the kernel reports a size of 111: it counts a NUL that does not fit. */
  if (size > sizeof address.path) size = sizeof address.path;
  if (address.any.sa_family != AF_UNIX || size <= offsetof(struct sockaddr_un, sun_path)) return 0;
  size_t count = size - offsetof(struct sockaddr_un, sun_path);
  const char *name = address.path.sun_path;
  if (name[0]) count = strnlen(name, count);
  memcpy(path, name, count);
  if (!name[0]) *(char *)path = '@';
  return (int)count;
}

/* Whether what a socket shows is left from a connect that failed. The kernel has given that port back, and only the
 * kernel knows: such a socket can be bound, and one that is bound cannot. */
static int has_old_port(int fd, int family) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return 0;
  /* Anything else would be ended by what follows. */
  if (info.tcpi_state != TCP_CLOSE) return 0;
  int delays = 0, on = 1;
  size = sizeof delays;
  if (getsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &delays, &size) < 0) return 0;
  /* This forgets the address that the connect has chosen, and none that the caller has bound. */
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  union cbl_posix_address any;
  struct cbl_posix_endpoint left;
  size = sizeof any;
  if (connect(fd, &none, sizeof none) < 0 || getsockname(fd, &any.any, &size) < 0) return 0;
  cbl_posix_from_system(&left, &any);
  if (left.high != 0 || (uint32_t)left.low != 0) return 0;
  memset(&any, 0, sizeof any);
  any.any.sa_family = (sa_family_t)family;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  int is_old = bind(fd, &any.any, family == AF_INET ? sizeof any.inet : sizeof any.inet6) == 0;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &delays, sizeof delays);
  return is_old;
}

int cbl_posix_is_bound(int fd) {
  union cbl_posix_address address;
  socklen_t size = sizeof address;
  if (getsockname(fd, &address.any, &size) < 0) return -errno;
  if (address.any.sa_family == AF_UNIX) return size > sizeof address.any.sa_family;
  struct cbl_posix_endpoint endpoint;
  cbl_posix_from_system(&endpoint, &address);
  if (endpoint.port != 0) return !has_old_port(fd, address.any.sa_family);
  return endpoint.high != 0 || (uint32_t)endpoint.low != 0;
}

int cbl_posix_shutdown(int fd, int how) { return (int)cbl_posix_result(shutdown(fd, how)); }

int cbl_posix_close(int fd) { return (int)cbl_posix_result(close(fd)); }

int cbl_posix_duplicate_onto(int fd, int target, int closes_on_exec) {
  return (int)cbl_posix_result(dup3(fd, target, closes_on_exec ? O_CLOEXEC : 0));
}
