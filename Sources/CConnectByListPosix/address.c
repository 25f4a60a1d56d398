/* Addresses between the kernel's form (struct sockaddr_…) and the core's (struct cbl_posix_endpoint). */
#define _GNU_SOURCE
#include "internal.h"

#include <arpa/inet.h>
#include <string.h>

static void store_big_endian(uint8_t *bytes, uint64_t value) {
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t load_big_endian(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
  return value;
}

socklen_t cbl_posix_to_system(union cbl_posix_address *to, struct cbl_posix_endpoint from) {
  if (from.family == 4) {
    memset(&to->inet, 0, sizeof to->inet);
    to->inet.sin_family = AF_INET;
    to->inet.sin_port = htons(from.port);
    to->inet.sin_addr.s_addr = htonl((uint32_t)from.low);
    return sizeof to->inet;
  }
  memset(&to->inet6, 0, sizeof to->inet6);
  to->inet6.sin6_family = AF_INET6;
  to->inet6.sin6_port = htons(from.port);
  to->inet6.sin6_scope_id = from.scope;
  store_big_endian(to->inet6.sin6_addr.s6_addr, from.high);
  store_big_endian(to->inet6.sin6_addr.s6_addr + 8, from.low);
  return sizeof to->inet6;
}

socklen_t cbl_posix_to_system_unix(union cbl_posix_address *to, const char *path, size_t count) {
  memset(&to->path, 0, sizeof to->path);
  to->path.sun_family = AF_UNIX;
  if (count > sizeof to->path.sun_path) count = sizeof to->path.sun_path;
  memcpy(to->path.sun_path, path, count);
  /* A path ends at its NUL, so the whole structure is its size. An abstract name begins with a NUL and
   * ends where the size says. An empty path gets the size of the family alone: with a larger size the
   * kernel would take it for an abstract name of NULs. */
  if (count > 0 && path[0] != '@') return sizeof to->path;
  to->path.sun_path[0] = '\0';
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count);
}

void cbl_posix_from_system(struct cbl_posix_endpoint *to, const union cbl_posix_address *from) {
  memset(to, 0, sizeof *to);
  switch (from->any.sa_family) {
    case AF_INET:
      to->family = 4;
      to->port = ntohs(from->inet.sin_port);
      /* The core holds IPv4 addresses as ::ffff:a.b.c.d. */
      to->low = UINT64_C(0xffff00000000) | ntohl(from->inet.sin_addr.s_addr);
      break;
    case AF_INET6:
      to->family = 6;
      to->port = ntohs(from->inet6.sin6_port);
      to->scope = from->inet6.sin6_scope_id;
      to->high = load_big_endian(from->inet6.sin6_addr.s6_addr);
      to->low = load_big_endian(from->inet6.sin6_addr.s6_addr + 8);
      break;
    case AF_UNIX:
      to->family = 1;
      break;
    default:
      break;
  }
}

int cbl_posix_endpoint_from_sockaddr(const void *sockaddr, size_t size,
                                     struct cbl_posix_endpoint *endpoint) {
  union cbl_posix_address address;
  sa_family_t family;
  if (size < offsetof(struct sockaddr, sa_family) + sizeof family) return -EINVAL;
  /* Copied before it is read: the caller's address may be at any alignment. */
  memcpy(&family, (const char *)sockaddr + offsetof(struct sockaddr, sa_family), sizeof family);
  if (family != AF_INET && family != AF_INET6) return -EINVAL;
  size_t needed = family == AF_INET ? sizeof address.inet : sizeof address.inet6;
  if (size < needed) return -EINVAL;
  memcpy(&address, sockaddr, needed);
  cbl_posix_from_system(endpoint, &address);
  return 0;
}

size_t cbl_posix_endpoint_to_sockaddr(struct cbl_posix_endpoint endpoint, void *sockaddr) {
  union cbl_posix_address address;
  size_t size = cbl_posix_to_system(&address, endpoint);
  memcpy(sockaddr, &address, size);
  return size;
}

size_t cbl_posix_sockaddr_size(int domain) {
  switch (domain) {
    case AF_INET: return sizeof(struct sockaddr_in);
    case AF_INET6: return sizeof(struct sockaddr_in6);
    case AF_UNIX: return sizeof(struct sockaddr_un);
    default: return sizeof(struct sockaddr_storage);
  }
}
