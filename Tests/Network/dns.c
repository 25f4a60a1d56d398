/* A DNS server whose answers are written in the names, for lookups that are slow, silent or fail.
 *
 *   dns ADDRESS      answers on UDP port 53 of an IPv4 address; prints "ready"; ends when its standard input is closed
 *
 * A name has labels `4-WHAT` and `6-WHAT`, for its A and its AAAA records; `.test` follows. WHAT is
 *
 *   N         10.77.0.2 or 2001:db8:77::2, after N ms
 *   Nh        one address of 10.78.0.0/16 or 2001:db8:78::/112 after N ms, another one for each name
 *   Nx50      50 addresses after N ms: 10.78.2.1 …, 2001:db8:78:2::1 …
 *   none      no such record      nx     no such name      fail   SERVFAIL      drop   no answer
 *
 * `srv-WHAT` says the same of SRV records: N is two records: priority 1, port 9, 4-drop.6-drop.test; and priority 2, the
 * port of the program's second argument, 4-0.6-none.test. `ipv4only.arpa` has the AAAA records of
 * 64:ff9b::/96 after 1 ms. What is not mentioned is "none". */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { A = 1, AAAA = 28, SRV = 33, WAITING_MAX = 4096, SIZE_MAX_UDP = 4096 };

struct reply {
  int64_t due_ms;
  struct sockaddr_in to;
  size_t size;
  unsigned char bytes[SIZE_MAX_UDP];
};

static struct reply *waiting[WAITING_MAX];
static int service_port;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put(struct reply *reply, const void *bytes, size_t size) {
  if (reply->size + size > sizeof reply->bytes) return;
  memcpy(reply->bytes + reply->size, bytes, size);
  reply->size += size;
}

static void put16(struct reply *reply, unsigned number) {
  unsigned char bytes[2] = {(unsigned char)(number >> 8), (unsigned char)number};
  put(reply, bytes, 2);
}

/* A record of the name in question; `size` bytes of data follow. */
static void put_record(struct reply *reply, unsigned type, unsigned size) {
  reply->bytes[7]++;
  put16(reply, 0xc00c);
  put16(reply, type);
  put16(reply, 1);
  put16(reply, 0);
  put16(reply, 60);
  put16(reply, size);
}

static void put_address(struct reply *reply, unsigned type, const char *text, int last) {
  unsigned char bytes[16];
  inet_pton(type == A ? AF_INET : AF_INET6, text, bytes);
  bytes[type == A ? 3 : 15] = (unsigned char)last;
  put_record(reply, type, type == A ? 4 : 16);
  put(reply, bytes, type == A ? 4 : 16);
}

static void put_service(struct reply *reply, unsigned priority, unsigned port, const char *target, size_t size) {
  put_record(reply, SRV, (unsigned)(6 + size));
  put16(reply, priority);
  put16(reply, 0);
  put16(reply, port);
  put(reply, target, size);
}

/* Writes the answer behind the question. False: there is none. */
static int answer(struct reply *reply, const char *name, unsigned type) {
  const char *mark = type == A ? "4-" : type == AAAA ? "6-" : type == SRV ? "srv-" : NULL;
  const char *what = mark ? strstr(name, mark) : NULL;
  if (type == AAAA && strcmp(name, "ipv4only.arpa") == 0) {
    put_address(reply, AAAA, "64:ff9b::c000:aa", 170);
    put_address(reply, AAAA, "64:ff9b::c000:aa", 171);
    reply->due_ms += 1;
    return 1;
  }
  what = what ? what + strlen(mark) : "none";
  if (strncmp(what, "drop", 4) == 0) return 0;
  if (strncmp(what, "nx", 2) == 0) reply->bytes[3] |= 3;
  if (strncmp(what, "fail", 4) == 0) reply->bytes[3] |= 2;
  char *end;
  long delay = strtol(what, &end, 10);
  if (end == what) return 1;
  reply->due_ms += delay;
  if (type == SRV) {
    put_service(reply, 1, 9, "\6""4-drop\6""6-drop\4test", 20);
    put_service(reply, 2, (unsigned)service_port, "\3""4-0\6""6-none\4test", 17);
  } else if (*end == 'h') {
    unsigned hash = 2166136261u; /* FNV-1a */
    for (const char *at = name; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
    char text[40];
    unsigned high = hash >> 8 & 0xff, low = hash & 0xff;
    snprintf(text, sizeof text, type == A ? "10.78.%u.0" : "2001:db8:78::%x00", high);
    put_address(reply, type, text, (int)low);
  } else if (*end == 'x') {
    int count = atoi(end + 1);
    for (int i = 1; i <= count; i++) put_address(reply, type, type == A ? "10.78.2.0" : "2001:db8:78:2::", i);
  } else {
    put_address(reply, type, type == A ? "10.77.0.2" : "2001:db8:77::2", 2);
  }
  return 1;
}

static void take(int fd) {
  struct reply *reply = calloc(1, sizeof *reply);
  socklen_t length = sizeof reply->to;
  ssize_t size = recvfrom(fd, reply->bytes, 512, 0, (struct sockaddr *)&reply->to, &length);
  char name[256] = "";
  size_t at = 12, end = 0;
  if (size < 17) goto drop;
  while (at < (size_t)size && reply->bytes[at] != 0) {
    size_t count = reply->bytes[at++];
    if (count > 63 || at + count >= (size_t)size || end + count + 2 > sizeof name) goto drop;
    if (end > 0) name[end++] = '.';
    memcpy(name + end, reply->bytes + at, count);
    end += count;
    at += count;
  }
  if (at + 5 > (size_t)size) goto drop;
  unsigned type = (unsigned)reply->bytes[at + 1] << 8 | reply->bytes[at + 2];
  reply->size = at + 5;              /* header and question; what may follow (EDNS) is dropped */
  reply->bytes[2] |= 0x80;           /* a response */
  reply->bytes[3] = 0x80;            /* recursion available */
  memset(reply->bytes + 6, 0, 6);
  reply->due_ms = now_ms();
  if (!answer(reply, name, type)) goto drop;
  for (int i = 0; i < WAITING_MAX; i++) {
    if (waiting[i]) continue;
    waiting[i] = reply;
    return;
  }
drop:
  free(reply);
}

int main(int count, char **arguments) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(53)};
  if (count < 3 || inet_pton(AF_INET, arguments[1], &own.sin_addr) != 1) return 2;
  service_port = atoi(arguments[2]);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0) {
    perror("dns");
    return 1;
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    int timeout = -1;
    int64_t now = now_ms();
    for (int i = 0; i < WAITING_MAX; i++) {
      struct reply *reply = waiting[i];
      if (!reply) continue;
      if (reply->due_ms <= now) {
        sendto(fd, reply->bytes, reply->size, 0, (struct sockaddr *)&reply->to, sizeof reply->to);
        free(reply);
        waiting[i] = NULL;
      } else if (timeout < 0 || reply->due_ms - now < timeout) {
        timeout = (int)(reply->due_ms - now);
      }
    }
    struct pollfd ready[2] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    if (poll(ready, 2, timeout) < 0) return 1;
    if (ready[0].revents) take(fd);
    if (ready[1].revents) return 0;
  }
}
