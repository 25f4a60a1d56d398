/* The server of all measurements. It is a process of its own, so that the counts of a client process are
 * the client's work alone. Prints its ports, and serves until its standard input ends.
 *
 *   sink    reads until the client closes
 *   source  sends lines of 64 bytes, in blocks of 64 KiB, until the client closes
 *   silent  drops every SYN
 *
 * All listen on every loopback address: 127.0.0.2 serves as a second remote, 127.1.x.y as silent ones.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536, LINE_BYTES = 64, BACKLOG = 4096 };

static void require(int is_true, const char *what) {
  if (is_true) return;
  perror(what);
  exit(1);
}

static int listening(int backlog, struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "socket");
  *address = (struct sockaddr_in){.sin_family = AF_INET};
  socklen_t length = sizeof *address;
  require(bind(fd, (struct sockaddr *)address, length) == 0, "bind");
  /* Accepted sockets inherit it. Their close sends a reset, which leaves no port of the client in
   * TIME_WAIT: thousands of connects a second would use up the ports. */
  struct linger at_once = {.l_onoff = 1};
  require(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0, "SO_LINGER");
  require(listen(fd, backlog) == 0, "listen");
  require(getsockname(fd, (struct sockaddr *)address, &length) == 0, "getsockname");
  return fd;
}

static void *serve_sink(void *listener) {
  static char block[BLOCK_BYTES];
  for (int fd; (fd = accept(*(int *)listener, NULL, NULL)) >= 0; close(fd)) {
    while (recv(fd, block, sizeof block, 0) > 0) {
    }
  }
  perror("accept");
  exit(1);
}

static void *serve_source(void *listener) {
  static char block[BLOCK_BYTES];
  memset(block, 'x', sizeof block);
  for (size_t end = LINE_BYTES; end <= sizeof block; end += LINE_BYTES) block[end - 1] = '\n';
  for (int fd; (fd = accept(*(int *)listener, NULL, NULL)) >= 0; close(fd)) {
    while (send(fd, block, sizeof block, MSG_NOSIGNAL) > 0) {
    }
  }
  perror("accept");
  exit(1);
}

static void serve(void *(*role)(void *), int *listener) {
  pthread_t thread;
  require(pthread_create(&thread, NULL, role, listener) == 0, "pthread_create");
}

int main(void) {
  struct sockaddr_in sink_address, source_address, silent_address;
  static int sink, source;
  sink = listening(BACKLOG, &sink_address);
  source = listening(BACKLOG, &source_address);
  /* With a backlog of 0 the queue has room for one connection. It is not accepted, so the kernel drops
   * every later SYN. */
  listening(0, &silent_address);
  int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  silent_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(connect(filler, (struct sockaddr *)&silent_address, sizeof silent_address) == 0, "connect");

  serve(serve_sink, &sink);
  serve(serve_source, &source);
  printf("sink=%d source=%d silent=%d\n", ntohs(sink_address.sin_port),
         ntohs(source_address.sin_port), ntohs(silent_address.sin_port));
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}
