/* Looks names up with getaddrinfo, on threads of its own.
 *
 * getaddrinfo blocks, cannot be interrupted, and may take half a minute. So threads call it, and the caller may
 * free the resolver at any time. The resolver is shared by the caller and the threads and counts its owners; the
 * last one frees the memory. A thread whose caller has gone ends when its getaddrinfo returns; it holds no
 * descriptor of this library. */
#define _GNU_SOURCE
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

enum {
  THREADS_MAX = 8,          /* for one resolver */
  THREADS_ALIVE_MAX = 64,   /* in the process, including those whose caller has gone */
  ANSWERS_MAX = 1024,       /* for one name */
  STACK_SIZE = 1024 * 1024, /* plug-ins of the name service switch run on it */
};

/* One name, and the answer to it. */
struct question {
  char *host;
  char *service; /* NULL: `port` is given */
  uint16_t port;
  int family;
  struct cbl_posix_endpoint *answers;
  int answer_count;
  int code; /* 0, an errno, or an EAI code */
};

/* Threads take questions in order and note each answered one in `answered`, from which the caller takes
 * them. The mutex guards everything but the contents of a question, which belong to one thread until it is
 * answered and to the caller from then on. */
struct cbl_posix_resolver {
  pthread_mutex_t mutex;
  int owner_count; /* the caller and each thread */
  int event;       /* -1: the caller has gone */
  int question_count, asked_count, answered_count, taken_count;
  struct question *questions;
  int *answered; /* indices of questions */
};

/* Of the whole process; atomic. */
static int threads_alive;

/* Gives up one owner's share. */
static void release(struct cbl_posix_resolver *resolver) {
  pthread_mutex_lock(&resolver->mutex);
  int left = --resolver->owner_count;
  pthread_mutex_unlock(&resolver->mutex);
  if (left > 0) return;
  for (int i = 0; i < resolver->question_count; i++) {
    free(resolver->questions[i].host);
    free(resolver->questions[i].service);
    free(resolver->questions[i].answers);
  }
  free(resolver->questions);
  free(resolver->answered);
  pthread_mutex_destroy(&resolver->mutex);
  free(resolver);
}

/* Blocks, and fills in the answers or the code. Addresses that are neither IPv4 nor IPv6 are dropped. */
static void look_up(struct question *question) {
  struct addrinfo hints = {.ai_family = question->family, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int code = getaddrinfo(question->host, question->service, &hints, &found);
  if (code != 0) {
    question->code = code == EAI_SYSTEM && errno != 0 ? errno : code;
    return;
  }
  int count = 0;
  for (const struct addrinfo *one = found; one && count < ANSWERS_MAX; one = one->ai_next) count++;
  question->answers = calloc((size_t)count + 1, sizeof *question->answers);
  if (!question->answers) {
    question->code = EAI_MEMORY;
    count = 0;
  }
  const struct addrinfo *one = found;
  for (int i = 0; i < count; i++, one = one->ai_next) {
    struct cbl_posix_endpoint *answer = &question->answers[question->answer_count];
    cbl_posix_from_system(answer, (const union cbl_posix_address *)one->ai_addr);
    if (!question->service) answer->port = question->port;
    if (answer->family == 4 || answer->family == 6) question->answer_count++;
  }
  freeaddrinfo(found);
}

/* One of the threads: looks names up until none is left or the caller has gone. */
static void *resolver_main(void *argument) {
  struct cbl_posix_resolver *resolver = argument;
  pthread_mutex_lock(&resolver->mutex);
  while (resolver->event >= 0 && resolver->asked_count < resolver->question_count) {
    int index = resolver->asked_count++;
    pthread_mutex_unlock(&resolver->mutex);
    look_up(&resolver->questions[index]);
    pthread_mutex_lock(&resolver->mutex);
    resolver->answered[resolver->answered_count++] = index;
    if (resolver->event >= 0) cbl_posix_eventfd_signal(resolver->event);
  }
  pthread_mutex_unlock(&resolver->mutex);
  release(resolver);
  __atomic_sub_fetch(&threads_alive, 1, __ATOMIC_RELAXED);
  return NULL;
}

struct cbl_posix_resolver *cbl_posix_resolver_new(int count, int event) {
  struct cbl_posix_resolver *resolver = calloc(1, sizeof *resolver);
  if (!resolver) return NULL;
  pthread_mutex_init(&resolver->mutex, NULL);
  resolver->owner_count = 1;
  resolver->event = event;
  resolver->questions = calloc((size_t)count + 1, sizeof *resolver->questions);
  resolver->answered = calloc((size_t)count + 1, sizeof *resolver->answered);
  if (resolver->questions && resolver->answered) return resolver;
  release(resolver);
  return NULL;
}

/* A NUL-terminated copy, or NULL. */
static char *copy(const void *bytes, size_t count) {
  char *text = cbl_posix_resize(NULL, count + 1);
  if (!text) return NULL;
  memcpy(text, bytes, count);
  text[count] = '\0';
  return text;
}

int cbl_posix_resolver_add(struct cbl_posix_resolver *resolver, struct cbl_posix_slice host,
                           struct cbl_posix_slice service, uint16_t port, int family) {
  struct question *question = &resolver->questions[resolver->question_count];
  question->port = port;
  question->family = family;
  question->host = copy(host.bytes, host.count);
  if (service.count > 0) question->service = copy(service.bytes, service.count);
  resolver->question_count++;
  return question->host && (service.count == 0 || question->service) ? 0 : -ENOMEM;
}

int cbl_posix_resolver_start(struct cbl_posix_resolver *resolver) {
  int wanted = resolver->question_count < THREADS_MAX ? resolver->question_count : THREADS_MAX;
  int started = 0;
  while (started < wanted) {
    if (__atomic_add_fetch(&threads_alive, 1, __ATOMIC_RELAXED) <= THREADS_ALIVE_MAX) {
      pthread_mutex_lock(&resolver->mutex);
      resolver->owner_count++;
      pthread_mutex_unlock(&resolver->mutex);
      if (cbl_posix_thread_start_detached(resolver_main, resolver, STACK_SIZE) == 0) {
        started++;
        continue;
      }
      release(resolver);
    }
    __atomic_sub_fetch(&threads_alive, 1, __ATOMIC_RELAXED);
    break;
  }
  return started;
}

int cbl_posix_resolver_take(struct cbl_posix_resolver *resolver, int *index, int *code,
                            const struct cbl_posix_endpoint **answers) {
  int count = -1;
  pthread_mutex_lock(&resolver->mutex);
  if (resolver->taken_count < resolver->answered_count) {
    *index = resolver->answered[resolver->taken_count++];
    const struct question *question = &resolver->questions[*index];
    *code = question->code;
    *answers = question->answers;
    count = question->answer_count;
  }
  pthread_mutex_unlock(&resolver->mutex);
  return count;
}

void cbl_posix_resolver_free(struct cbl_posix_resolver *resolver) {
  pthread_mutex_lock(&resolver->mutex);
  resolver->event = -1;
  pthread_mutex_unlock(&resolver->mutex);
  release(resolver);
}
