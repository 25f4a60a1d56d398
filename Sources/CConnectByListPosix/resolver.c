/* Names, by the system's resolver, on threads of their own.
 *
 * getaddrinfo blocks, cannot be stopped, and may take half a minute. So a thread calls it, and whoever
 * asked may go at any time: what both use is counted, and the last of them frees it. A thread that
 * nobody waits for ends when its getaddrinfo does; it holds no descriptor of ours. */
#define _GNU_SOURCE
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "cbl_posix.h"

enum {
  THREADS_MAX = 8,          /* of one connect */
  THREADS_ALIVE_MAX = 64,   /* of the process, those that nobody waits for among them */
  ANSWERS_MAX = 1024,       /* of one name */
  STACK_SIZE = 1024 * 1024, /* what plug-ins of the name service switch may want */
};

struct question {
  char *host;
  char *service; /* NULL: the port is known */
  uint16_t port;
  int family;
  struct cbl_posix_endpoint *answers;
  int answer_count;
  int code;
};

struct cbl_posix_resolver {
  pthread_mutex_t mutex;
  int owner_count; /* whoever asked, and each thread */
  int event;       /* -1: nobody waits any more */
  int question_count, asked_count, answered_count, taken_count;
  struct question *questions;
  int *answered; /* indices, in the order of the answers */
};

static int threads_alive;

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

/* Fills in the answers, or the code. */
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

static char *copy(const void *bytes, size_t count) {
  char *text = malloc(count + 1);
  if (!text) return NULL;
  memcpy(text, bytes, count);
  text[count] = '\0';
  return text;
}

int cbl_posix_resolver_add(struct cbl_posix_resolver *resolver, struct cbl_posix_slice host, struct cbl_posix_slice service,
                     uint16_t port, int family) {
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
