/* Asks the system's resolver: getaddrinfo for addresses, res_nquery for SRV records. Every function here may block
 * for as long as the resolver does. */
#define _GNU_SOURCE
#include "lookup.h"

#include <arpa/nameser.h>
#include <dlfcn.h>
#include <locale.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

enum {
  ANSWERS_MAX = 1024,       /* for one question */
  MESSAGE_SIZE = 64 * 1024, /* a DNS message is never longer */
};

/* A resolver that gets no answer gives up after `timeout` seconds at the earliest (resolv.conf: at least 1); one
 * that gets an answer with a failure gives up before. Both have the code EAI_AGAIN. */
static int kind_of_try_again(const struct __res_state *state, int64_t started_ns) {
  int64_t timeout_ns = (state->options & RES_INIT) && state->retrans > 0 ? state->retrans : RES_TIMEOUT;
  timeout_ns *= 1000000000;
  return cbl_posix_monotonic_ns() - started_ns >= timeout_ns ? CBL_POSIX_NAME_NO_ANSWER : EAI_AGAIN;
}

static int is_ascii(const char *text) {
  for (; *text; text++) {
    if ((unsigned char)*text >= 0x80) return 0;
  }
  return 1;
}

/* getaddrinfo converts names from the encoding of the thread's locale (AI_IDN), with libidn2, which libc loads. */
static int get_addresses(const char *host, const char *service, struct addrinfo *hints,
                         struct addrinfo **found) {
  if (is_ascii(host)) return getaddrinfo(host, service, hints, found);
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  if (!utf8) return CBL_POSIX_NAME_NO_UTF8;
  locale_t before = uselocale(utf8);
  hints->ai_flags |= AI_IDN;
  int code = getaddrinfo(host, service, hints, found);
  uselocale(before);
  freelocale(utf8);
  if (code != EAI_IDN_ENCODE) return code;
  void *library = dlopen("libidn2.so.0", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return CBL_POSIX_NAME_NO_IDN;
  dlclose(library);
  return code;
}

/* Addresses that are neither IPv4 nor IPv6 are dropped. */
static void look_up_addresses(struct question *question) {
  struct cbl_posix_answer *answer = &question->answer;
  struct addrinfo hints = {.ai_family = question->kind == CBL_POSIX_ASKS_IPV6 ? AF_INET6 : AF_INET,
                           .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  errno = 0;
  int code = get_addresses(question->host, question->service, &hints, &found);
  if (code == EAI_AGAIN) code = kind_of_try_again(&_res, question->started_ns);
  if (code != 0) {
    answer->code = code == EAI_SYSTEM && errno != 0 ? errno : code;
    return;
  }
  int count = 0;
  for (const struct addrinfo *one = found; one && count < ANSWERS_MAX; one = one->ai_next) count++;
  struct cbl_posix_endpoint *endpoints = calloc((size_t)count + 1, sizeof *endpoints);
  answer->endpoints = endpoints;
  if (!endpoints) {
    answer->code = EAI_MEMORY;
    count = 0;
  }
  const struct addrinfo *one = found;
  for (int i = 0; i < count; i++, one = one->ai_next) {
    struct cbl_posix_endpoint *endpoint = &endpoints[answer->count];
    cbl_posix_from_system(endpoint, (const union cbl_posix_address *)one->ai_addr);
    if (!question->service) endpoint->port = question->port;
    if (endpoint->family == 4 || endpoint->family == 6) answer->count++;
  }
  freeaddrinfo(found);
}

/* --- SRV --- */

static int code_of_query(const struct __res_state *state, int64_t started_ns) {
  switch (state->res_h_errno) {
  case HOST_NOT_FOUND: return EAI_NONAME;
  case NO_DATA: return EAI_NODATA;
  case TRY_AGAIN: return kind_of_try_again(state, started_ns);
  case NETDB_INTERNAL: return errno != 0 ? errno : EAI_FAIL;
  default: return EAI_FAIL;
  }
}

static unsigned number_at(const unsigned char *bytes) { return (unsigned)bytes[0] << 8 | bytes[1]; }

/* Reads the SRV records of a DNS message's answer section. Returns their count, -1 for a malformed message. */
static int read_services(const unsigned char *message, int size, struct cbl_posix_service *services) {
  const unsigned char *end = message + size, *at = message + HFIXEDSZ;
  if (size < HFIXEDSZ) return -1;
  for (unsigned left = number_at(message + 4); left > 0; left--) {
    int name = dn_skipname(at, end);
    if (name < 0 || end - at - name < QFIXEDSZ) return -1;
    at += name + QFIXEDSZ;
  }
  int count = 0;
  for (unsigned left = number_at(message + 6); left > 0 && count < ANSWERS_MAX; left--) {
    int name = dn_skipname(at, end);
    if (name < 0 || end - at - name < RRFIXEDSZ) return -1;
    at += name;
    unsigned type = number_at(at), length = number_at(at + 8);
    at += RRFIXEDSZ;
    if ((size_t)(end - at) < length) return -1;
    if (type == T_SRV && length > 6) { /* else an alias on the way to the records */
      struct cbl_posix_service *service = &services[count];
      service->priority = (uint16_t)number_at(at);
      service->weight = (uint16_t)number_at(at + 2);
      service->port = (uint16_t)number_at(at + 4);
      if (dn_expand(message, end, at + 6, service->target, sizeof service->target) < 0) return -1;
      count++;
    }
    at += length;
  }
  return count;
}

static void look_up_services(struct question *question) {
  struct cbl_posix_answer *answer = &question->answer;
  unsigned char *message = cbl_posix_resize(NULL, MESSAGE_SIZE);
  struct cbl_posix_service *services = calloc(ANSWERS_MAX, sizeof *services);
  struct __res_state state = {0};
  answer->services = services;
  if (!message || !services) {
    answer->code = EAI_MEMORY;
  } else if (res_ninit(&state) != 0) {
    answer->code = EAI_FAIL;
  } else {
    errno = 0;
    int size = res_nquery(&state, question->host, C_IN, T_SRV, message, MESSAGE_SIZE);
    if (size < 0) {
      answer->code = code_of_query(&state, question->started_ns);
    } else {
      answer->count = read_services(message, size < MESSAGE_SIZE ? size : MESSAGE_SIZE, services);
      if (answer->count < 0) {
        answer->count = 0;
        answer->code = EAI_FAIL;
      } else if (answer->count == 0) {
        answer->code = EAI_NODATA;
      }
    }
    res_nclose(&state);
  }
  free(message);
}

const void *cbl_posix_service_target(const struct cbl_posix_service *service) {
  return service->target;
}

size_t cbl_posix_service_target_size(const struct cbl_posix_service *service) {
  return strlen(service->target);
}

void cbl_posix_look_up(struct question *question) {
  if (question->kind == CBL_POSIX_ASKS_SERVICES) {
    look_up_services(question);
  } else {
    look_up_addresses(question);
  }
}
