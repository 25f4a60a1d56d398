/* A network between two namespaces whose round trips and losses depend on the server's address. It stands in
 * for tc's netem, which not every kernel has: packets pass through this process by two TUN devices, both named
 * `far`, one in the namespace of this process, the other in that of the process SERVER.
 *
 *   delay SERVER LOG      ends when its standard input ends; prints "ready" when both devices are there
 *
 * The server's addresses are 10.90.D.H:
 *
 *   D           the round trip in milliseconds: each packet to the client is held for so long
 *   H >= 200    every packet to it is dropped
 *   H >= 100    every packet to it from 10.90.0.1 is dropped
 *   H = 50      the first SYN of each connection is dropped
 *
 * Each SYN of the client that it gets to see, dropped or not, is written to LOG: "SOURCE DESTINATION". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PACKETS_MAX = 8192, SIZE_MAX_ = 2048 };

struct packet {
  int64_t due; /* 0: the place is free */
  int size;
  unsigned char bytes[SIZE_MAX_];
};

static struct packet held[PACKETS_MAX];

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* A TUN device named `far` in the current namespace. Packets have no header in front of them. */
static int make_tun(void) {
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(request.ifr_name, "far");
  if (ioctl(fd, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return fd;
}

static uint32_t word(const unsigned char *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return ntohl(value);
}

/* Whether a packet of the client's goes on to the server. */
static int passes(const unsigned char *bytes, int size, FILE *log) {
  uint32_t source = word(bytes + 12), destination = word(bytes + 16);
  int header = (bytes[0] & 15) * 4;
  enum { TCP = 6, SYN = 2, SYN_ACK = 18 };
  int is_syn = bytes[9] == TCP && size >= header + 20 && (bytes[header + 13] & SYN_ACK) == SYN;
  if (is_syn) {
    fprintf(log, "%u.%u.%u.%u %u.%u.%u.%u\n", source >> 24, source >> 16 & 255, source >> 8 & 255, source & 255,
            destination >> 24, destination >> 16 & 255, destination >> 8 & 255, destination & 255);
    fflush(log);
  }
  uint32_t host = destination & 255;
  if (host >= 200) return 0;
  if (host == 50 && is_syn) {
    static unsigned char seen[65536];
    unsigned char *port = &seen[bytes[header] << 8 | bytes[header + 1]];
    *port = !*port;
    if (*port) return 0;
  }
  return host < 100 || source != 0x0a5a0001;
}

/* Holds a packet of the server's. One for which there is no room is lost, as on any network. */
static void hold(const unsigned char *bytes, int size) {
  for (int i = 0; i < PACKETS_MAX; i++) {
    if (held[i].due) continue;
    held[i].due = now_ns() + (int64_t)(word(bytes + 12) >> 8 & 255) * 1000000;
    held[i].size = size;
    memcpy(held[i].bytes, bytes, (size_t)size);
    return;
  }
}

/* Delivers the packets that are due, and returns when the next one is; INT64_MAX: none is held. */
static int64_t deliver(int client) {
  int64_t now = now_ns(), next = INT64_MAX;
  for (int i = 0; i < PACKETS_MAX; i++) {
    if (!held[i].due) continue;
    if (held[i].due <= now) {
      if (write(client, held[i].bytes, (size_t)held[i].size) < 0) perror("write");
      held[i].due = 0;
    } else if (held[i].due < next) {
      next = held[i].due;
    }
  }
  return next;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  FILE *log = fopen(arguments[2], "w");
  if (!log) fail(arguments[2]);
  int client = make_tun();
  int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/net", arguments[1]);
  int away = open(path, O_RDONLY | O_CLOEXEC);
  if (home < 0 || away < 0 || setns(away, CLONE_NEWNET) < 0) fail(path);
  int server = make_tun();
  /* Back, so that /proc/PID/ns/net of this process is the client's namespace. */
  if (setns(home, CLONE_NEWNET) < 0) fail("setns");
  puts("ready");
  fflush(stdout);

  for (;;) {
    int64_t next = deliver(client);
    int64_t left = next == INT64_MAX ? -1 : next - now_ns();
    struct timespec timeout = {left / 1000000000, left % 1000000000};
    if (left < 0) timeout = (struct timespec){0, 0};
    struct pollfd all[3] = {{0, POLLIN, 0}, {client, POLLIN, 0}, {server, POLLIN, 0}};
    if (ppoll(all, 3, next == INT64_MAX ? NULL : &timeout, NULL) < 0) fail("ppoll");
    char byte;
    if (all[0].revents && read(0, &byte, 1) <= 0) return 0;
    unsigned char bytes[SIZE_MAX_];
    ssize_t size;
    while ((size = read(client, bytes, sizeof bytes)) > 0) {
      if (size < 20 || bytes[0] >> 4 != 4 || !passes(bytes, (int)size, log)) continue;
      if (write(server, bytes, (size_t)size) < 0) perror("write");
    }
    while ((size = read(server, bytes, sizeof bytes)) > 0) {
      if (size >= 20 && bytes[0] >> 4 == 4) hold(bytes, (int)size);
    }
  }
}
