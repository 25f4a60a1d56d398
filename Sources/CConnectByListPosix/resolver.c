/* Looks names up on threads of its own, because the system's resolver blocks, cannot be interrupted and may take
 * half a minute.
 *
 * The pool belongs to the process: 64 threads are at work at once. A lookup that has taken a second, or whose
 * caller has gone, counts as hanging and gives its place to another; 512 may hang. The threads take one question of each
 * resolver in turn, so that a list of a thousand names does not delay one name of another list.
 *
 * The pool's mutex guards all of it but the contents of a question at work, which belong to its thread. A thread
 * whose caller has gone frees its question when the lookup ends; it holds no descriptor of this library.
 *
 * After `fork` the child makes a pool of its own: it has none of the parent's threads, and the parent's mutex may
 * have been held. What the child has of the parent's resolvers is never answered, and leaks. */
#define _GNU_SOURCE
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lookup.h"

enum {
  AT_WORK_MAX = 64,
  HANGING_MAX = 512,
  STACK_SIZE = 1024 * 1024, /* plug-ins of the name service switch run on it */
};
static const int64_t HANGS_AFTER_NS = 1000000000;

struct pool {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  /* The resolvers that have questions to ask; a ring. */
  struct cbl_posix_resolver *turn;
  /* The questions whose threads are at work, the oldest first; those that hang are not among them. */
  struct question *oldest, *newest;
  int at_work_count, hanging_count;
  int free_count;    /* threads that will take a question before they end */
  bool has_watcher;  /* one of these waits until the oldest question hangs */
};

struct cbl_posix_resolver {
  struct pool *pool;
  struct cbl_posix_resolver *next, *previous; /* in the ring */
  int event;                                  /* -1: the caller has gone */
  int running_count;
  struct question *first, *last;                   /* to ask */
  struct question *first_answered, *last_answered; /* not taken by the caller */
  struct question *taken;                          /* the caller looks at it */
};

/* --- the pool of this process --- */

static struct pool *pool_of_process; /* atomic */

static void forget_pool(void) { __atomic_store_n(&pool_of_process, NULL, __ATOMIC_RELAXED); }

static void forget_pool_at_fork(void) { pthread_atfork(NULL, NULL, forget_pool); }

static struct pool *this_pool(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  struct pool *pool = __atomic_load_n(&pool_of_process, __ATOMIC_ACQUIRE);
  if (pool) return pool;
  pthread_once(&once, forget_pool_at_fork);
  pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&pool->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  struct pool *other = NULL;
  if (__atomic_compare_exchange_n(&pool_of_process, &other, pool, false, __ATOMIC_ACQ_REL,
                                  __ATOMIC_ACQUIRE)) {
    return pool;
  }
  free(pool);
  return other;
}

/* --- questions --- */

static void free_question(struct question *question) {
  if (!question) return;
  free(question->host);
  free(question->service);
  free((void *)question->answer.endpoints);
  free((void *)question->answer.services);
  free(question);
}

static void free_questions(struct question *first) {
  while (first) {
    struct question *next = first->next;
    free_question(first);
    first = next;
  }
}

/* Puts the resolver last in turn. */
static void join_ring(struct pool *pool, struct cbl_posix_resolver *resolver) {
  if (resolver->next) return;
  if (!pool->turn) {
    pool->turn = resolver->next = resolver->previous = resolver;
  } else {
    resolver->next = pool->turn;
    resolver->previous = pool->turn->previous;
    resolver->previous->next = resolver;
    resolver->next->previous = resolver;
  }
}

static void leave_ring(struct pool *pool, struct cbl_posix_resolver *resolver) {
  if (!resolver->next) return;
  if (pool->turn == resolver) pool->turn = resolver->next == resolver ? NULL : resolver->next;
  resolver->previous->next = resolver->next;
  resolver->next->previous = resolver->previous;
  resolver->next = resolver->previous = NULL;
}

/* The next question of the resolver whose turn it is; there must be one. */
static struct question *take_question(struct pool *pool) {
  struct cbl_posix_resolver *resolver = pool->turn;
  struct question *question = resolver->first;
  resolver->first = question->next;
  question->next = NULL;
  pool->turn = resolver->next;
  if (!resolver->first) leave_ring(pool, resolver);
  return question;
}

/* Gives the caller its answer. */
static void deliver(struct question *question) {
  struct cbl_posix_resolver *resolver = question->resolver;
  if (resolver->first_answered) {
    resolver->last_answered->next = question;
  } else {
    resolver->first_answered = question;
  }
  resolver->last_answered = question;
  cbl_posix_eventfd_signal(resolver->event);
}

static void begin_work(struct pool *pool, struct question *question) {
  question->started_ns = cbl_posix_monotonic_ns();
  question->resolver->running_count++;
  question->previous_at_work = pool->newest;
  if (pool->newest) pool->newest->next_at_work = question;
  else pool->oldest = question;
  pool->newest = question;
  pool->at_work_count++;
}

static void leave_work(struct pool *pool, struct question *question) {
  struct question *next = question->next_at_work, *previous = question->previous_at_work;
  if (next) next->previous_at_work = previous;
  else pool->newest = previous;
  if (previous) previous->next_at_work = next;
  else pool->oldest = next;
  question->next_at_work = question->previous_at_work = NULL;
  pool->at_work_count--;
}

static bool is_at_work(const struct pool *pool, const struct question *question) {
  return question->previous_at_work || pool->oldest == question;
}

/* Gives the place of a question that hangs to another. False: too many hang, and it keeps its place. */
static bool note_hanging(struct pool *pool, struct question *question) {
  if (pool->hanging_count >= HANGING_MAX) return false;
  leave_work(pool, question);
  pool->hanging_count++;
  return true;
}

/* Makes room for another question. Returns 0; when there is none, the instant at which the oldest question hangs;
 * or -1 where none can come but by an answer. */
static int64_t make_room(struct pool *pool) {
  if (pool->at_work_count < AT_WORK_MAX) return 0;
  int64_t now = cbl_posix_monotonic_ns();
  while (pool->oldest && pool->oldest->started_ns + HANGS_AFTER_NS <= now) {
    if (!note_hanging(pool, pool->oldest)) return -1;
  }
  if (pool->at_work_count < AT_WORK_MAX) return 0;
  return pool->oldest->started_ns + HANGS_AFTER_NS;
}

/* Every lookup that may be under way hangs: the questions that wait fail. */
static void fail_waiting(struct pool *pool, int code) {
  while (pool->turn) {
    struct question *question = take_question(pool);
    question->answer.code = code;
    deliver(question);
  }
}

/* --- threads --- */

static void wait_until(struct pool *pool, int64_t ns) {
  struct timespec until = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  pthread_cond_timedwait(&pool->changed, &pool->mutex, &until);
}

static void start_thread(struct pool *pool);

/* Asks one question, with the mutex released meanwhile. */
static void work(struct pool *pool) {
  struct question *question = take_question(pool);
  struct cbl_posix_resolver *resolver = question->resolver;
  begin_work(pool, question);
  pool->free_count--;
  start_thread(pool);
  pthread_mutex_unlock(&pool->mutex);
  cbl_posix_look_up(question);
  pthread_mutex_lock(&pool->mutex);
  if (is_at_work(pool, question)) leave_work(pool, question);
  else pool->hanging_count--;
  pool->free_count++;
  resolver->running_count--;
  if (pool->has_watcher) pthread_cond_signal(&pool->changed);
  if (resolver->event >= 0) {
    deliver(question);
  } else {
    free_question(question);
    if (resolver->running_count == 0) free(resolver);
  }
}

/* A thread works while there are questions. When all places are taken one thread waits for one. */
static void *thread_main(void *argument) {
  struct pool *pool = argument;
  pthread_mutex_lock(&pool->mutex);
  while (pool->turn) {
    int64_t room = make_room(pool);
    if (room == 0) {
      work(pool);
    } else if (room < 0) {
      fail_waiting(pool, CBL_POSIX_NAME_TOO_MANY);
    } else if (pool->has_watcher) {
      break;
    } else {
      pool->has_watcher = true;
      wait_until(pool, room);
      pool->has_watcher = false;
    }
  }
  pool->free_count--;
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

/* Starts a thread where there are questions and no thread is free for them. Each thread that takes a question starts
 * the next one, so the caller starts one only. */
static void start_thread(struct pool *pool) {
  if (!pool->turn || pool->free_count > 0) return;
  pool->free_count++;
  int code = cbl_posix_thread_start_detached(thread_main, pool, STACK_SIZE);
  if (code == 0) return;
  pool->free_count--;
  /* A thread that ends its lookup takes the next question. */
  if (pool->at_work_count + pool->hanging_count == 0) fail_waiting(pool, -code);
}

/* --- the caller --- */

struct cbl_posix_resolver *cbl_posix_resolver_new(int event) {
  struct pool *pool = this_pool();
  struct cbl_posix_resolver *resolver = pool ? calloc(1, sizeof *resolver) : NULL;
  if (!resolver) return NULL;
  resolver->pool = pool;
  resolver->event = event;
  return resolver;
}

/* A NUL-terminated copy, or NULL. */
static char *copy(struct cbl_posix_slice text) {
  char *bytes = cbl_posix_resize(NULL, text.count + 1);
  if (!bytes) return NULL;
  if (text.count > 0) memcpy(bytes, text.bytes, text.count);
  bytes[text.count] = '\0';
  return bytes;
}

int cbl_posix_resolver_add(struct cbl_posix_resolver *resolver, int kind, struct cbl_posix_slice host,
                           struct cbl_posix_slice service, uint16_t port, int tag) {
  struct question *question = calloc(1, sizeof *question);
  if (!question) return -ENOMEM;
  question->resolver = resolver;
  question->kind = kind;
  question->port = port;
  question->answer.tag = tag;
  question->host = copy(host);
  if (service.count > 0) question->service = copy(service);
  if (!question->host || (service.count > 0 && !question->service)) {
    free_question(question);
    return -ENOMEM;
  }
  pthread_mutex_lock(&resolver->pool->mutex);
  if (resolver->first) resolver->last->next = question;
  else resolver->first = question;
  resolver->last = question;
  pthread_mutex_unlock(&resolver->pool->mutex);
  return 0;
}

void cbl_posix_resolver_start(struct cbl_posix_resolver *resolver) {
  struct pool *pool = resolver->pool;
  pthread_mutex_lock(&pool->mutex);
  if (resolver->first) {
    join_ring(pool, resolver);
    if (make_room(pool) < 0) fail_waiting(pool, CBL_POSIX_NAME_TOO_MANY);
    start_thread(pool);
  }
  pthread_mutex_unlock(&pool->mutex);
}

const struct cbl_posix_answer *cbl_posix_resolver_take(struct cbl_posix_resolver *resolver) {
  free_question(resolver->taken);
  pthread_mutex_lock(&resolver->pool->mutex);
  struct question *question = resolver->first_answered;
  if (question) resolver->first_answered = question->next;
  pthread_mutex_unlock(&resolver->pool->mutex);
  resolver->taken = question;
  return question ? &question->answer : NULL;
}

void cbl_posix_resolver_free(struct cbl_posix_resolver *resolver) {
  struct pool *pool = resolver->pool;
  if (pool != __atomic_load_n(&pool_of_process, __ATOMIC_ACQUIRE)) return; /* the parent's */
  pthread_mutex_lock(&pool->mutex);
  leave_ring(pool, resolver);
  resolver->event = -1;
  /* Its lookups that are under way count as hanging from now on, so that those of others are not delayed. */
  struct question *next = pool->oldest;
  while (next) {
    struct question *question = next;
    next = question->next_at_work;
    if (question->resolver == resolver && !note_hanging(pool, question)) question->started_ns = 0;
  }
  if (pool->has_watcher) pthread_cond_signal(&pool->changed);
  struct question *asked = resolver->first, *answered = resolver->first_answered;
  struct question *taken = resolver->taken;
  bool is_last = resolver->running_count == 0;
  pthread_mutex_unlock(&pool->mutex);
  free_questions(asked);
  free_questions(answered);
  free_question(taken);
  if (is_last) free(resolver);
}
