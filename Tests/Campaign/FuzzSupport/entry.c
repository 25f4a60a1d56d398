/* The C library with arguments from the input. Every argument lies between canaries; of what the header says it
 * does not write, not a byte changes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect_by_list.h"
#include "fuzz_support.h"

enum { CANARY = 0xa5, CANARY_SIZE = 32, ROOM = 256 };

struct guarded {
  uint8_t before[CANARY_SIZE];
  uint8_t room[ROOM];
  uint8_t after[CANARY_SIZE];
};

struct input {
  const uint8_t *next;
  size_t left;
};

static unsigned take(struct input *input) {
  if (input->left == 0) return 0;
  input->left--;
  return *input->next++;
}

static void take_bytes(struct input *input, void *to, size_t count) {
  for (size_t i = 0; i < count; i++) ((uint8_t *)to)[i] = (uint8_t)take(input);
}

static void require(bool holds, const char *message) {
  if (!holds) cbl_fuzz_fail(message);
}

/* The listener that a connect may reach. */
static uint16_t listening_port(void) {
  static uint16_t port;
  if (port) return port;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0)
    abort();
  fcntl(fd, F_DUPFD_CLOEXEC, 500);
  close(fd);
  port = ntohs(address.sin_port);
  cbl_fuzz_allow_port(port);
  return port;
}

/* Takes what waits at the listener, so that its queue never fills. */
static void accept_all(void) {
  for (int i = 0; i < 64; i++) {
    struct pollfd ready = {.fd = 500, .events = POLLIN};
    if (poll(&ready, 1, 0) <= 0) return;
    int fd = accept(500, NULL, NULL);
    /* A reset, so that no port stays in TIME_WAIT. */
    struct linger linger = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
  }
}

/* An address in memory of its own with exactly its size. */
static struct sockaddr *take_address(struct input *input, socklen_t *length, uint16_t port) {
  union {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    uint8_t bytes[64];
  } address;
  memset(&address, 0, sizeof address);
  unsigned kind = take(input);
  size_t size;
  switch (kind % 6) {
    case 0:
      address.inet = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
      address.inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof address.inet;
      break;
    case 1:
      address.inet6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
      memcpy(&address.inet6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
      size = sizeof address.inet6;
      break;
    case 2:
      size = sizeof address.inet;
      take_bytes(input, &address, size);
      address.any.sa_family = AF_INET;
      break;
    case 3:
      size = sizeof address.inet6;
      take_bytes(input, &address, size);
      address.any.sa_family = AF_INET6;
      break;
    case 4:
      size = take(input) % sizeof address;
      take_bytes(input, &address, size);
      break;
    default: *length = (socklen_t)take(input); return NULL;
  }
  *length = (socklen_t)size;
  /* At any alignment. */
  uint8_t *memory = malloc(size + 8);
  size_t shift = kind >> 5;
  memcpy(memory + shift, &address, size);
  return (struct sockaddr *)(void *)(memory + shift);
}

static void free_address(struct sockaddr *address, unsigned kind) {
  if (address) free((uint8_t *)address - (kind >> 5));
}

static struct guarded *guarded_new(struct input *input) {
  struct guarded *guarded = malloc(sizeof *guarded);
  memset(guarded, CANARY, sizeof *guarded);
  take_bytes(input, guarded->room, 4);
  return guarded;
}

static void check_canaries(const struct guarded *guarded) {
  for (int i = 0; i < CANARY_SIZE; i++)
    require(guarded->before[i] == CANARY && guarded->after[i] == CANARY, "a canary has changed");
}

/* The size of a caller's buffer: any, or one beside the size of an address. */
static socklen_t take_length(struct input *input) {
  unsigned length = take(input);
  if (length < 128) return length;
  return (length % 2 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) + length / 2 % 4 - 2;
}

static int take_socket(struct input *input) {
  switch (take(input) % 8) {
    case 0: return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    case 1: return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    case 2: return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    case 3: return open("/dev/null", O_RDONLY | O_CLOEXEC);
    case 4: return -1 - (int)take(input);
    case 5: {
      int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      listen(fd, 1);
      return fd;
    }
    default: return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (take(input) % 2 ? SOCK_NONBLOCK : 0), 0);
  }
}

void cbl_fuzz_c_entry(const uint8_t *bytes, size_t byte_count) {
  struct input input = {bytes, byte_count};
  uint16_t port = listening_port();
  uint8_t answers[8];
  take_bytes(&input, answers, sizeof answers);
  cbl_fuzz_set_answers(answers, sizeof answers);
  int lowest = cbl_fuzz_lowest_free();
  int fd = take_socket(&input);
  int flags = fcntl(fd, F_GETFL), descriptor_flags = fcntl(fd, F_GETFD);

  unsigned count = take(&input) % 6;
  struct connect_by_list_addresses *list =
      malloc(sizeof *list + count * sizeof(struct connect_by_list_address));
  unsigned kinds[6] = {0};
  list->count = (int)count;
  for (unsigned i = 0; i < count; i++) {
    kinds[i] = input.left > 0 ? *input.next : 0;
    list->addresses[i].address = take_address(&input, &list->addresses[i].length, port);
  }
  unsigned choices = take(&input);
  if (choices & 1) list->count = -(int)take(&input);

  struct guarded *local = guarded_new(&input), *remote = guarded_new(&input), before_local, before_remote;
  before_local = *local;
  before_remote = *remote;
  socklen_t local_length = take_length(&input), remote_length = take_length(&input);
  socklen_t given_local = local_length, given_remote = remote_length;
  /* The room is as large as the caller says, up to the canary. */
  bool has_local = choices & 2, has_remote = choices & 4;

  /* A finite time: nothing that is silent may hang the fuzzer. */
  struct timeval timeout = {0, (long)(take(&input) * 16)};
  if (choices & 8) timeout.tv_usec = (long)(int8_t)take(&input) * 100000;
  if (timeout.tv_usec > 4000 && timeout.tv_usec < 1000000) timeout.tv_usec = 4000;

  struct {
    struct connect_by_list_options known;
    uint8_t more[80]; /* what a caller with a newer header has */
  } options;
  memset(&options, 0, sizeof options);
  int bad_entry = 12345;
  char policy[40];
  memset(policy, 0, sizeof policy);
  options.known = (struct connect_by_list_options)CONNECT_BY_LIST_OPTIONS_INIT;
  if (choices & 16) {
    take_bytes(&input, policy, sizeof policy - 1);
    options.known.policy = policy;
  }
  if (choices & 32) options.known.size = take(&input) % 110;
  if (choices & 64) options.known.flags = take(&input) % 3;
  if (choices & 128) take_bytes(&input, options.more, 8);
  options.known.bad_entry = &bad_entry;
  int cancel = -1;
  unsigned cancels = take(&input);
  if (cancels % 4 == 1) options.known.cancel_fd = cancel = eventfd(cancels & 4 ? 1 : 0, EFD_CLOEXEC);
  if (cancels % 4 == 2) options.known.cancel_fd = -(int)cancels;

  errno = 0;
  int result = connect_by_list_options(
      fd, cancels % 16 == 3 ? NULL : list, has_local ? &local_length : NULL,
      has_local ? (struct sockaddr *)(void *)local->room : NULL, has_remote ? &remote_length : NULL,
      has_remote ? (struct sockaddr *)(void *)remote->room : NULL, &timeout,
      cancels % 32 == 7 ? &options : NULL, cancels & 64 ? &options.known : NULL);
  int error = errno;

  check_canaries(local);
  check_canaries(remote);
  require(result == 0 || result == -1, "neither 0 nor -1");
  if (result == -1) {
    require(error > 0, "a failure without an errno");
    require(memcmp(local, &before_local, sizeof *local) == 0, "a failed call has written the local address");
    require(memcmp(remote, &before_remote, sizeof *remote) == 0, "a failed call has written the remote one");
    require(local_length == given_local && remote_length == given_remote, "a failed call has written a length");
  } else {
    require(!has_local || (local_length <= given_local && local_length >= 16), "the local length");
    require(!has_remote || (remote_length <= given_remote && remote_length >= 16), "the remote length");
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    require(getpeername(fd, (struct sockaddr *)&peer, &size) == 0, "a socket that is not connected");
    require(!has_remote || (size == remote_length && memcmp(&peer, remote->room, size) == 0),
            "another peer than getpeername's");
    struct linger linger = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  }
  if (fd >= 0) {
    require(fcntl(fd, F_GETFL) == flags, "the socket's flags have changed");
    require(fcntl(fd, F_GETFD) == descriptor_flags, "its close-on-exec flag has changed");
    close(fd);
  }
  if (cancel >= 0) close(cancel);
  require(cbl_fuzz_lowest_free() == lowest, "a descriptor stays open");
  for (unsigned i = 0; i < count; i++) free_address(list->addresses[i].address, kinds[i]);
  free(list);
  free(local);
  free(remote);
  accept_all();
}
