/* A network of hosts that misbehave, each as its address says. Makes the TUN device `hostile`, runs a command, and
 * answers the packets that are sent into the device until the command ends; its status is the command's.
 *
 *   hostile COMMAND [ARGUMENT ...]
 *
 * The hosts are 10.91.K.N and 2001:db8:91:K::N:
 *
 *   K = 1   refuses: RST
 *   K = 2   a router answers: unreachable, code N
 *   K = 3   a router answers: ICMP type N, code 0
 *   K = 4   is silent
 *   K = 5   loses the first SYN of each connection, and then echoes
 *   K = 6   accepts, and resets N = 0: at once, N = 1: when it gets bytes
 *   K = 7   acknowledges another number than the SYN's, as an old duplicate does
 *   K = 8   echoes, but packets of more than 700 bytes are lost
 *   K = 9   echoes
 *   K = 10  accepts, and a router then answers each segment: unreachable, code N
 *
 * An echo keeps no state: a segment says all that its answer needs, as long as the client waits for each answer. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PACKET_MAX = 4096, INET_HEADER = 20, INET6_HEADER = 40, LOST_ABOVE = 700 };

/* A segment that the client has sent. */
struct segment {
  const unsigned char *packet;
  size_t size; /* of the packet */
  int is_inet6;
  int kind, number; /* K and N */
  struct tcphdr tcp;
  const unsigned char *bytes; /* what it carries */
  size_t count;
};

static int device;

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static int make_device(void) {
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(request.ifr_name, "hostile");
  if (ioctl(fd, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return fd;
}

static uint32_t sum(uint32_t start, const void *bytes, size_t count) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < count; i++) start += i % 2 ? at[i] : (uint32_t)at[i] << 8;
  return start;
}

static uint16_t folded(uint32_t value) {
  while (value >> 16) value = (value & 0xffff) + (value >> 16);
  return htons((uint16_t)~value);
}

/* Sends bytes of a protocol from the segment's destination to its source. `check`: where in them the checksum is. */
static void reply(const struct segment *to, int protocol, unsigned char *bytes, size_t count, size_t check) {
  unsigned char packet[PACKET_MAX] = {0};
  size_t header = to->is_inet6 ? INET6_HEADER : INET_HEADER;
  const unsigned char *addresses = to->packet + (to->is_inet6 ? 8 : 12);
  size_t width = to->is_inet6 ? 16 : 4;
  unsigned char *target = packet + (to->is_inet6 ? 8 : 12);
  memcpy(target, addresses + width, width);
  memcpy(target + width, addresses, width);
  if (to->is_inet6) {
    packet[0] = 0x60;
    packet[4] = (unsigned char)(count >> 8), packet[5] = (unsigned char)count;
    packet[6] = (unsigned char)protocol, packet[7] = 64;
  } else {
    size_t size = header + count;
    packet[0] = 0x45;
    packet[2] = (unsigned char)(size >> 8), packet[3] = (unsigned char)size;
    packet[8] = 64, packet[9] = (unsigned char)protocol;
    uint16_t own = folded(sum(0, packet, header));
    memcpy(packet + 10, &own, sizeof own);
  }
  /* ICMP of IPv4 is the one that has no pseudo-header. */
  uint32_t pseudo = protocol == IPPROTO_ICMP ? 0 : sum((uint32_t)protocol + (uint32_t)count, target, 2 * width);
  memset(bytes + check, 0, 2);
  uint16_t value = folded(sum(pseudo, bytes, count));
  memcpy(bytes + check, &value, sizeof value);
  memcpy(packet + header, bytes, count);
  if (write(device, packet, header + count) < 0) perror("write");
}

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static int flags_of(const struct segment *segment) { return ((const unsigned char *)&segment->tcp)[13]; }

/* Answers with a segment that carries `count` bytes. */
static void reply_tcp(const struct segment *to, int flags, uint32_t sequence, uint32_t acknowledged, size_t count) {
  unsigned char bytes[PACKET_MAX - INET6_HEADER];
  struct tcphdr tcp = {0};
  tcp.source = to->tcp.dest, tcp.dest = to->tcp.source;
  tcp.seq = htonl(sequence), tcp.ack_seq = htonl(acknowledged);
  tcp.doff = sizeof tcp / 4, tcp.window = htons(60000);
  memcpy(bytes, &tcp, sizeof tcp);
  bytes[13] = (unsigned char)flags;
  memcpy(bytes + sizeof tcp, to->bytes, count);
  reply(to, IPPROTO_TCP, bytes, sizeof tcp + count, 16);
}

/* Answers with an ICMP error about the segment. */
static void reply_icmp(const struct segment *to, int type, int code) {
  unsigned char bytes[8 + 100] = {(unsigned char)type, (unsigned char)code};
  size_t count = to->size < 100 ? to->size : 100;
  memcpy(bytes + 8, to->packet, count);
  reply(to, to->is_inet6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, bytes, 8 + count, 2);
}

static void reply_unreachable(const struct segment *to) {
  reply_icmp(to, to->is_inet6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH, to->number);
}

static void echo(const struct segment *from) {
  uint32_t end = ntohl(from->tcp.seq) + (uint32_t)from->count, next = ntohl(from->tcp.ack_seq);
  int flags = flags_of(from);
  if (flags & SYN) reply_tcp(from, SYN | ACK, 1000, end + 1, 0);
  else if (flags & FIN) reply_tcp(from, FIN | ACK, next, end + 1, 0);
  else if (from->count > 0) reply_tcp(from, PSH | ACK, next, end, from->count);
}

static void answer(const struct segment *from) {
  int flags = flags_of(from);
  uint32_t sequence = ntohl(from->tcp.seq), next = ntohl(from->tcp.ack_seq);
  if (flags & RST) return;
  switch (from->kind) {
    case 1: reply_tcp(from, RST | ACK, 0, sequence + 1, 0); return;
    case 2: reply_unreachable(from); return;
    case 3: reply_icmp(from, from->number, 0); return;
    case 5: {
      static unsigned char seen[65536];
      unsigned char *port = &seen[ntohs(from->tcp.source)];
      if ((flags & SYN) && !(*port = !*port)) echo(from);
      if (!(flags & SYN)) echo(from);
      return;
    }
    case 6:
      if (flags & SYN) echo(from);
      else if (from->number == 0 || from->count > 0) reply_tcp(from, RST, next, 0, 0);
      return;
    case 7: reply_tcp(from, SYN | ACK, 1000, sequence + 1000, 0); return;
    case 8:
      if (from->size <= LOST_ABOVE) echo(from);
      return;
    case 9: echo(from); return;
    case 10:
      if (flags & SYN) echo(from);
      else reply_unreachable(from);
      return;
    default: return;
  }
}

/* Reads a packet; returns whether it is a TCP segment to one of the hosts. */
static int read_segment(struct segment *to, const unsigned char *packet, size_t size) {
  *to = (struct segment){.packet = packet, .size = size, .is_inet6 = packet[0] >> 4 == 6};
  size_t header = to->is_inet6 ? INET6_HEADER : (size_t)(packet[0] & 15) * 4;
  if (size < header + sizeof to->tcp || packet[to->is_inet6 ? 6 : 9] != IPPROTO_TCP) return 0;
  to->kind = to->is_inet6 ? packet[31] : packet[18];
  to->number = to->is_inet6 ? packet[39] : packet[19];
  memcpy(&to->tcp, packet + header, sizeof to->tcp);
  size_t start = header + (size_t)to->tcp.doff * 4;
  if (size < start) return 0;
  to->bytes = packet + start;
  to->count = size - start;
  return 1;
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  device = make_device();
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    execvp(arguments[1], arguments + 1);
    fail(arguments[1]);
  }
  for (;;) {
    int status;
    if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
    struct pollfd one = {device, POLLIN, 0};
    poll(&one, 1, 50);
    unsigned char packet[PACKET_MAX];
    ssize_t size;
    while ((size = read(device, packet, sizeof packet)) > 0) {
      struct segment segment;
      if (read_segment(&segment, packet, (size_t)size)) answer(&segment);
    }
  }
}
