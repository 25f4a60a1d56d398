/* Socket options, descriptor flags, and what TCP and MPTCP say about a socket. */
#define _GNU_SOURCE
#include "internal.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>

#include "faults.h"

int cbl_posix_set_option(int fd, int level, int name, const void *value, size_t size) {
  return (int)cbl_posix_result(setsockopt(fd, level, name, value, (socklen_t)size));
}

int cbl_posix_get_option(int fd, int level, int name, void *value, size_t *size) {
  socklen_t length = (socklen_t)*size;
  if (getsockopt(fd, level, name, value, &length) < 0) return -errno;
  *size = length;
  return 0;
}

int cbl_posix_is_mptcp(int fd) {
  /* From linux/mptcp.h, which older systems do not have. */
  enum { SOL_MPTCP_LEVEL = 284, MPTCP_INFO_OPTION = 1, FELL_BACK = 1 /* MPTCP_INFO_FLAG_FALLBACK */ };
  /* The first fields of struct mptcp_info; the kernel writes as much as there is room for. */
  struct {
    uint8_t counts[6];
    uint32_t flags;
  } info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  /* A connection that fell back to TCP answers like TCP: EOPNOTSUPP, for IPv6 ENOPROTOOPT (Linux 6.18). */
  if (getsockopt(fd, SOL_MPTCP_LEVEL, MPTCP_INFO_OPTION, &info, &size) < 0) return 0;
  return (info.flags & FELL_BACK) == 0;
}

/* Reads TCP_INFO; all zeros for a socket that is not TCP. */
static struct tcp_info tcp_info(int fd) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) memset(&info, 0, sizeof info);
  return info;
}

int cbl_posix_resent_count(int fd) { return (int)tcp_info(fd).tcpi_total_retrans; }

int cbl_posix_is_connecting(int fd) {
  int state = tcp_info(fd).tcpi_state;
  return state == TCP_SYN_SENT || state == TCP_SYN_RECV;
}

int cbl_posix_is_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -errno : (flags & O_NONBLOCK) != 0;
}

int cbl_posix_set_nonblocking(int fd, int on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  return wanted == flags ? 0 : (int)cbl_posix_result(fcntl(fd, F_SETFL, wanted));
}

int cbl_posix_closes_on_exec(int fd) {
  int flags = fcntl(fd, F_GETFD);
  return flags < 0 ? -errno : (flags & FD_CLOEXEC) != 0;
}
