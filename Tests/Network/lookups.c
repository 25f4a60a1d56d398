/* Lookups that hang, without Swift and Lua around them, so that sanitizers can watch the C part alone: abandoned by
 * one thread and by many, during `fork`, and at the end of the process. Needs the servers of dns_test.lua.
 *
 *   lookups LIMIT      LIMIT: the milliseconds that a good name, a child, or the end of the process may take
 *
 * Status 0: all is well. It is compiled together with Sources/CConnectByListPosix. */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cbl_posix.h"

#if defined(__has_feature)
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

enum { ABANDONED = 200, THREADS = 8, ROUNDS = 40, FORKS = 10 };

static double limit_ms;
static bool is_child;

/* What a child has of its parent's resolvers is never freed, by design. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return is_child; }

static double now_ms(void) { return (double)cbl_posix_monotonic_ns() / 1e6; }

static void fail(const char *what, double ms) {
  fprintf(stderr, "lookups: %s: %.1f ms\n", what, ms);
  _exit(1);
}

struct asked {
  int event;
  struct cbl_posix_resolver *resolver;
};

static struct asked begin(void) {
  struct asked asked = {.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  asked.resolver = cbl_posix_resolver_new(asked.event);
  if (asked.event < 0 || !asked.resolver) fail("no resolver", 0);
  return asked;
}

static void ask(struct asked asked, int kind, const char *host) {
  struct cbl_posix_slice name = {.bytes = host, .count = strlen(host)}, none = {.count = 0};
  if (cbl_posix_resolver_add(asked.resolver, kind, name, none, 0, kind) != 0) fail("no memory", 0);
}

/* As the driver does: the resolver goes before the descriptor that it signals. */
static void end(struct asked asked) {
  cbl_posix_resolver_free(asked.resolver);
  close(asked.event);
}

/* A resolver with lookups that are never answered, and one of SRV records. */
static struct asked begin_hanging(int number) {
  struct asked asked = begin();
  char host[80];
  snprintf(host, sizeof host, "c%d-%d.4-drop.6-drop.srv-drop.test", (int)getpid(), number);
  ask(asked, CBL_POSIX_ASKS_IPV4, host);
  ask(asked, CBL_POSIX_ASKS_IPV6, host);
  if (number % 8 == 0) ask(asked, CBL_POSIX_ASKS_SERVICES, host);
  cbl_posix_resolver_start(asked.resolver);
  return asked;
}

/* A name of the hosts file resolves, whatever else hangs. */
static void resolve_good(const char *what) {
  double began = now_ms();
  struct asked asked = begin();
  ask(asked, CBL_POSIX_ASKS_IPV4, "works.test");
  cbl_posix_resolver_start(asked.resolver);
  const struct cbl_posix_answer *answer = NULL;
  while (!answer && now_ms() - began < 20000) {
    struct pollfd ready = {.fd = asked.event, .events = POLLIN};
    poll(&ready, 1, 1000);
    answer = cbl_posix_resolver_take(asked.resolver);
  }
  double took = now_ms() - began;
  if (!answer || answer->code != 0 || answer->count < 1 || took > limit_ms) fail(what, took);
  end(asked);
}

/* Asks, takes some answers, and goes. */
static void *come_and_go(void *argument) {
  int number = *(int *)argument;
  for (int round = 0; round < ROUNDS; round++) {
    struct asked asked = begin();
    ask(asked, CBL_POSIX_ASKS_IPV4, "works.test");
    ask(asked, CBL_POSIX_ASKS_IPV4, "4-1.6-1.test");
    ask(asked, CBL_POSIX_ASKS_IPV6, "4-nx.6-nx.test");
    ask(asked, CBL_POSIX_ASKS_SERVICES, "_x._tcp.srv-1.test");
    if ((round + number) % 8 == 0) ask(asked, CBL_POSIX_ASKS_IPV4, "t.4-drop.6-drop.test");
    cbl_posix_resolver_start(asked.resolver);
    struct pollfd ready = {.fd = asked.event, .events = POLLIN};
    poll(&ready, 1, round % 4);
    while (cbl_posix_resolver_take(asked.resolver)) continue;
    end(asked);
  }
  return NULL;
}

static void run_threads(void) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    if (pthread_create(&threads[i], NULL, come_and_go, &numbers[i]) != 0) fail("no thread", 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* A child starts afresh, also with a resolver of its parent's in its hands. */
static void fork_while_hanging(void) {
  for (int i = 0; i < FORKS; i++) {
    struct asked hanging = begin_hanging(1000 + i);
    /* A sanitizer's allocator is not prepared for `fork` while another thread is in it (GCC 12). */
    if (HAS_SANITIZER) usleep(50000);
    double began = now_ms();
    pid_t child = fork();
    if (child == 0) {
      is_child = true;
      end(hanging);
      resolve_good("a name in a child");
      begin_hanging(2000 + i);
      exit(0);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) fail("a child failed", status);
    double took = now_ms() - began;
    if (took > 2 * limit_ms) fail("a child", took);
    end(hanging);
  }
}

/* Everything, in a process whose end is timed by its parent: `pipe` gets the instant of its call of `exit`. */
static void run_all(int pipe) {
  for (int i = 0; i < ABANDONED; i++) end(begin_hanging(i));
  resolve_good("a name after abandoned lookups");
  fork_while_hanging();
  run_threads();
  resolve_good("a name after threads");
  begin_hanging(0);
  double instant = now_ms();
  if (write(pipe, &instant, sizeof instant) != sizeof instant) fail("pipe", 0);
  exit(0);
}

int main(int count, char **arguments) {
  int ends[2];
  limit_ms = count > 1 ? atof(arguments[1]) : 100;
  if (pipe(ends) != 0) return 1;
  pid_t child = fork();
  if (child == 0) run_all(ends[1]);
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 1;
  double ended = now_ms(), instant = 0;
  if (read(ends[0], &instant, sizeof instant) != sizeof instant) return 1;
  printf("# the process ended %.1f ms after exit\n", ended - instant);
  if (ended - instant > limit_ms) fail("exit", ended - instant);
  return 0;
}
