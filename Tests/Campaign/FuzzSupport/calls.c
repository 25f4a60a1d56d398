/* Linked with --wrap: what the library asks of the kernel and of the resolver is answered from the input. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz_support.h"

int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
int __real_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
void __real_freeaddrinfo(struct addrinfo *found);
void __wrap_freeaddrinfo(struct addrinfo *found);
int __wrap_res_nquery(res_state state, const char *name, int class, int type, unsigned char *answer, int size);

struct bytes {
  const uint8_t *next;
  size_t left;
};

static _Thread_local struct bytes answers;
static _Thread_local struct bytes datagrams;
static _Thread_local bool has_datagrams;
static uint16_t allowed_port;

void cbl_fuzz_set_answers(const uint8_t *bytes, size_t count) { answers = (struct bytes){bytes, count}; }

void cbl_fuzz_set_datagrams(const uint8_t *bytes, size_t count) {
  datagrams = (struct bytes){bytes, count};
  has_datagrams = bytes != NULL;
}

void cbl_fuzz_allow_port(uint16_t port) { allowed_port = port; }

int cbl_fuzz_lowest_free(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(fd);
  return fd;
}

void cbl_fuzz_fail(const char *message) {
  fprintf(stderr, "fuzz: %s\n", message);
  abort();
}

static unsigned next_byte(struct bytes *bytes) {
  if (bytes->left == 0) return 0;
  bytes->left--;
  return *bytes->next++;
}

static bool is_own(const struct sockaddr *address) {
  union {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
  } own;
  if (allowed_port == 0) return false;
  if (address->sa_family == AF_INET) {
    memcpy(&own.inet, address, sizeof own.inet);
    return own.inet.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && own.inet.sin_port == htons(allowed_port);
  }
  if (address->sa_family != AF_INET6) return false;
  memcpy(&own.inet6, address, sizeof own.inet6);
  static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  return memcmp(&own.inet6.sin6_addr, mapped, 16) == 0 && own.inet6.sin6_port == htons(allowed_port);
}

/* A connect of a datagram socket sends nothing. A stream's goes to a listener of this process or fails; EINPROGRESS
 * without a handshake makes epoll report a hang-up at once. */
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size) {
  static const int errors[] = {ECONNREFUSED, EINPROGRESS, ENETUNREACH, EADDRNOTAVAIL, EACCES, EAGAIN, EINTR,
                               EALREADY, EISCONN, ETIMEDOUT, EHOSTUNREACH, ECONNRESET, EMFILE, ENOBUFS, EBADF, 12345};
  int type = 0;
  socklen_t type_size = sizeof type;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size);
  if (type != SOCK_STREAM || address->sa_family == AF_UNSPEC || is_own(address))
    return __real_connect(fd, address, size);
  errno = errors[next_byte(&answers) % (sizeof errors / sizeof errors[0])];
  return -1;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
  if (!has_datagrams) return __real_recvmmsg(fd, messages, count, flags, timeout);
  unsigned received = 0;
  while (received < count && datagrams.left >= 2) {
    unsigned low = next_byte(&datagrams), high = next_byte(&datagrams);
    size_t size = low | (high & 0x7f) << 8;
    if (size > datagrams.left) size = datagrams.left;
    struct mmsghdr *message = &messages[received];
    struct iovec *room = message->msg_hdr.msg_iov;
    /* The high bit and a small size: a datagram of another process. */
    bool is_foreign = (high & 0x80) && size < 16;
    memset(message->msg_hdr.msg_name, is_foreign, message->msg_hdr.msg_namelen);
    size_t stored = size < room->iov_len ? size : room->iov_len;
    memcpy(room->iov_base, datagrams.next, stored);
    message->msg_len = (unsigned)((high & 0x80) && !is_foreign ? room->iov_len + 1 + size : size);
    datagrams.next += size;
    datagrams.left -= size;
    received++;
  }
  if (received > 0) return (int)received;
  errno = EAGAIN;
  return -1;
}

int cbl_fuzz_numeric_address(const char *text, uint8_t address[16], uint32_t *scope) {
  const struct addrinfo hints = {.ai_family = AF_INET6, .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int code = __real_getaddrinfo(text, NULL, &hints, &found);
  if (code != 0) return code;
  struct sockaddr_in6 system;
  memcpy(&system, found->ai_addr, sizeof system);
  memcpy(address, system.sin6_addr.s6_addr, 16);
  *scope = system.sin6_scope_id;
  __real_freeaddrinfo(found);
  return 0;
}

/* A name decides on its own answer, because lookups run on threads. */
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found) {
  static const int codes[] = {EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_FAMILY, EAI_SERVICE, EAI_MEMORY, -999};
  unsigned kind = host[0];
  *found = NULL;
  if (kind % 4 == 0) return codes[strlen(host) % (sizeof codes / sizeof codes[0])];
  unsigned count = 1 + kind % 5;
  struct addrinfo **end = found;
  for (unsigned i = 0; i < count; i++) {
    bool is_v4 = (i + kind) % 2;
    if (hints->ai_family == AF_INET) is_v4 = true;
    if (hints->ai_family == AF_INET6) is_v4 = false;
    struct {
      struct addrinfo info;
      struct sockaddr_in6 address;
    } *one = calloc(1, sizeof *one);
    one->info.ai_addr = (struct sockaddr *)&one->address;
    one->info.ai_family = is_v4 ? AF_INET : AF_INET6;
    if (is_v4) {
      struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(service ? 7 : 0)};
      inet.sin_addr.s_addr = htonl(0x7f000001 + i);
      memcpy(&one->address, &inet, sizeof inet);
    } else {
      one->address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(service ? 7 : 0)};
      one->address.sin6_addr.s6_addr[15] = (uint8_t)i;
      if (kind % 3 == 0) memcpy(one->address.sin6_addr.s6_addr, "\xfe\x80", 2);
    }
    one->info.ai_addrlen = is_v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    *end = &one->info;
    end = &one->info.ai_next;
  }
  return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *found) {
  while (found) {
    struct addrinfo *next = found->ai_next;
    free(found);
    found = next;
  }
}

/* The answer to a question for SRV records: damaged copies of one with a target, by the name. */
int __wrap_res_nquery(res_state state, const char *name, int class, int type, unsigned char *answer, int size) {
  static const unsigned char good[] =
      "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4_xyz\4test\0\0\x21\0\1"
      "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0e\0\1\0\2\0\x50\1a\4test\0";
  (void)state, (void)class, (void)type;
  int count = (int)sizeof good - 1;
  if (size < count || name[0] == 'n') return -1;
  memcpy(answer, good, (size_t)count);
  size_t length = strlen(name);
  for (size_t i = 0; i + 1 < length && i < 6; i += 2) answer[(unsigned char)name[i] % count] = (unsigned char)name[i + 1];
  return count;
}
