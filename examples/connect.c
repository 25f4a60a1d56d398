/* Connects one dual-stack socket by list: the documented example of WSAConnectByList, in C on Linux.
 *
 * The program opens the endpoints itself, on loopback: two that listen and two that refuse, one of each family.
 *
 *   swift run ConnectByListExampleC
 *   cc examples/connect.c $(pkg-config --cflags --libs connectbylist) -o connect && ./connect
 *                                           (with the library installed)
 *
 * It prints, with other ports:
 *
 *   refuses   [::1]:34553
 *   refuses   [::ffff:127.0.0.1]:44173
 *   listens   [::1]:36331
 *   listens   127.0.0.1:48925
 *   connected to    [::1]:36331
 *            from   [::1]:50184
 *   received  hello */
#define _POSIX_C_SOURCE 200809L

#include <connect_by_list.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

union address {
  struct sockaddr any;
  struct sockaddr_in inet;
  struct sockaddr_in6 inet6;
  struct sockaddr_storage storage;
};

struct endpoint {
  int fd;
  union address address;
};

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

/* A socket on loopback, at a port that the kernel chooses. Unless it listens, connects to it are refused. */
static struct endpoint open_endpoint(int family, int listens) {
  struct endpoint made = {.fd = socket(family, SOCK_STREAM, 0)};
  socklen_t size = sizeof made.address;
  if (family == AF_INET) {
    made.address.inet.sin_family = AF_INET;
    made.address.inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    made.address.inet6.sin6_family = AF_INET6;
    made.address.inet6.sin6_addr = in6addr_loopback;
  }
  if (made.fd < 0 || bind(made.fd, &made.address.any, size) < 0 ||
      getsockname(made.fd, &made.address.any, &size) < 0 || (listens && listen(made.fd, 8) < 0))
    fail("an endpoint on loopback");
  return made;
}

/* An IPv4 address in v4-mapped form: ::ffff:a.b.c.d. */
static union address mapped(union address from) {
  union address to = {.inet6 = {.sin6_family = AF_INET6, .sin6_port = from.inet.sin_port}};
  to.inet6.sin6_addr.s6_addr[10] = 0xff;
  to.inet6.sin6_addr.s6_addr[11] = 0xff;
  memcpy(to.inet6.sin6_addr.s6_addr + 12, &from.inet.sin_addr, 4);
  return to;
}

static void print_address(const char *what, const union address *address) {
  char text[INET6_ADDRSTRLEN];
  if (address->any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &address->inet.sin_addr, text, sizeof text);
    printf("%s  %s:%d\n", what, text, ntohs(address->inet.sin_port));
  } else {
    inet_ntop(AF_INET6, &address->inet6.sin6_addr, text, sizeof text);
    printf("%s  [%s]:%d\n", what, text, ntohs(address->inet6.sin6_port));
  }
}

static int port_of(const union address *address) {
  return ntohs(address->any.sa_family == AF_INET ? address->inet.sin_port
                                                 : address->inet6.sin6_port);
}

/* A socket that can connect to both families; without IPv6, one that connects to IPv4. */
static int open_socket(int *has_ipv6) {
  int off = 0;
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  int probe = fd < 0 ? -1 : socket(AF_INET6, SOCK_STREAM, 0);
  *has_ipv6 = probe >= 0 && bind(probe, (struct sockaddr *)&loopback, sizeof loopback) == 0;
  if (probe >= 0) close(probe);
  if (*has_ipv6) {
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) fail("IPV6_V6ONLY");
    return fd;
  }
  puts("No IPv6 here: IPv4 only");
  if (fd >= 0) close(fd);
  if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) fail("socket");
  return fd;
}

int main(void) {
  int has_ipv6;
  int fd = open_socket(&has_ipv6);

  struct endpoint endpoints[4];
  int count = 0;
  if (has_ipv6) endpoints[count++] = open_endpoint(AF_INET6, 0);
  endpoints[count++] = open_endpoint(AF_INET, 0);
  if (has_ipv6) endpoints[count++] = open_endpoint(AF_INET6, 1);
  endpoints[count++] = open_endpoint(AF_INET, 1);

  /* One IPv4 address may be v4-mapped, another one plain. */
  union address listed[4];
  struct connect_by_list_addresses *list =
      malloc(sizeof *list + (size_t)count * sizeof list->addresses[0]);
  if (!list) fail("malloc");
  list->count = count;
  for (int i = 0; i < count; i++) {
    listed[i] = endpoints[i].address;
    if (i == 1) listed[i] = mapped(listed[i]);
    list->addresses[i].address = &listed[i].any;
    list->addresses[i].length = sizeof listed[i];
    print_address(i < count / 2 ? "refuses " : "listens ", &listed[i]);
  }

  union address local, remote;
  socklen_t local_length = sizeof local, remote_length = sizeof remote;
  struct timeval timeout = {.tv_sec = 5};
  if (connect_by_list(fd, list, &local_length, &local.any, &remote_length, &remote.any, &timeout,
                      NULL) < 0)
    fail("connect_by_list");
  free(list);
  print_address("connected to  ", &remote);
  print_address("         from ", &local);

  /* The other side: the endpoint with that port accepts the connection and sends a line. */
  int accepted = -1;
  for (int i = 0; i < count; i++)
    if (port_of(&endpoints[i].address) == port_of(&remote))
      accepted = accept(endpoints[i].fd, NULL, NULL);
  if (accepted < 0) fail("accept");
  if (send(accepted, "hello\n", 6, MSG_NOSIGNAL) != 6) fail("send");
  char line[16] = "";
  if (recv(fd, line, sizeof line - 1, 0) <= 0) fail("recv");
  printf("received  %s", line);

  close(accepted);
  close(fd);
  for (int i = 0; i < count; i++) close(endpoints[i].fd);
  return strcmp(line, "hello\n") != 0;
}
