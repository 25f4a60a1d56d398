/* Raw C: the same jobs with the fewest calls that do them, as the lower bound of what they cost.
 *
 *   floor JOB COUNT     prints the microseconds for one of COUNT; PORTS: what server.c prints
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

static char block[BLOCK_BYTES];

static void require(int is_true, const char *what) {
  if (is_true) return;
  perror(what);
  exit(1);
}

static int port_of(const char *role) {
  const char *ports = getenv("PORTS");
  const char *found = ports ? strstr(ports, role) : NULL;
  if (!found) {
    fprintf(stderr, "PORTS has no %s\n", role);
    exit(1);
  }
  return atoi(found + strlen(role) + 1);
}

static struct sockaddr_in address_of(const char *role) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port_of(role))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int connected(const struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "socket");
  require(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0, "connect");
  return fd;
}

static void do_connect(long count) {
  struct sockaddr_in address = address_of("sink");
  for (long i = 0; i < count; i++) close(connected(&address));
}

static void do_names(long count) {
  struct sockaddr_in address = address_of("sink");
  for (long i = 0; i < count; i++) {
    int fd = connected(&address);
    struct sockaddr_in own, other;
    socklen_t own_length = sizeof own, other_length = sizeof other;
    char text[INET_ADDRSTRLEN];
    require(getsockname(fd, (struct sockaddr *)&own, &own_length) == 0, "getsockname");
    require(getpeername(fd, (struct sockaddr *)&other, &other_length) == 0, "getpeername");
    inet_ntop(AF_INET, &own.sin_addr, text, sizeof text);
    inet_ntop(AF_INET, &other.sin_addr, text, sizeof text);
    close(fd);
  }
}

static void do_read_line(long count) {
  struct sockaddr_in address = address_of("source");
  int fd = connected(&address);
  size_t held_bytes = 0;
  for (long lines = 0; lines < count;) {
    ssize_t got = recv(fd, block + held_bytes, sizeof block - held_bytes, 0);
    require(got > 0, "recv");
    char *line = block, *end = block + held_bytes + got, *newline;
    while (lines < count && (newline = memchr(line, '\n', (size_t)(end - line)))) {
      line = newline + 1;
      lines++;
    }
    held_bytes = (size_t)(end - line);
    memmove(block, line, held_bytes);
  }
  close(fd);
}

static void do_read_block(long count) {
  struct sockaddr_in address = address_of("source");
  int fd = connected(&address);
  for (long i = 0; i < count; i++) {
    require(recv(fd, block, sizeof block, MSG_WAITALL) == sizeof block, "recv");
  }
  close(fd);
}

static void do_write_block(long count) {
  struct sockaddr_in address = address_of("sink");
  int fd = connected(&address);
  for (long i = 0; i < count; i++) {
    require(send(fd, block, sizeof block, MSG_NOSIGNAL) == sizeof block, "send");
  }
  close(fd);
}

static const struct {
  const char *name;
  void (*run)(long count);
} jobs[] = {
    {"connect", do_connect},       {"names", do_names},
    {"names_delaying", do_names},  {"read_line", do_read_line},
    {"read_block", do_read_block}, {"write_block", do_write_block},
};

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argument_count, char **arguments) {
  long count = argument_count == 3 ? atol(arguments[2]) : 0;
  for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
    if (count < 1 || strcmp(jobs[i].name, arguments[1]) != 0) continue;
    double began_us = now_us();
    jobs[i].run(count);
    printf("%.6f\n", (now_us() - began_us) / (double)count);
    return 0;
  }
  fprintf(stderr, "usage: floor JOB COUNT\n");
  return 2;
}
