/* Threads. Each runs with all signals blocked, so that the program's handlers run on the program's own
 * threads. */
#define _GNU_SOURCE
#include "internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Runs `body` on a new thread. `joinable`: where its handle is stored; NULL: the thread is detached. */
static int start_thread(void *(*body)(void *), void *context, size_t stack_size,
                        uint64_t *joinable) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (!joinable) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack_size);
  /* A thread inherits the mask of the thread that starts it. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, body, context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (!error && joinable) *joinable = (uint64_t)thread;
  return -error;
}

int cbl_posix_thread_start_detached(void *(*body)(void *), void *context, size_t stack_size) {
  return start_thread(body, context, stack_size, NULL);
}

/* pthread_create wants a function that returns a pointer. */
struct thread_start {
  void (*body)(void *);
  void *context;
};

static void *thread_main(void *argument) {
  struct thread_start start = *(struct thread_start *)argument;
  free(argument);
  start.body(start.context);
  return NULL;
}

int cbl_posix_thread_start(void (*body)(void *), void *context, uint64_t *joinable) {
  enum { STACK_SIZE = 256 * 1024 };
  struct thread_start *start = calloc(1, sizeof *start);
  if (!start) return -ENOMEM;
  start->body = body;
  start->context = context;
  int code = start_thread(thread_main, start, STACK_SIZE, joinable);
  if (code < 0) free(start);
  return code;
}

void cbl_posix_thread_join(uint64_t thread) { pthread_join((pthread_t)thread, NULL); }

void *cbl_posix_lock_new(void) {
  pthread_mutex_t *lock = calloc(1, sizeof *lock);
  if (lock) pthread_mutex_init(lock, NULL);
  return lock;
}

void cbl_posix_lock_free(void *lock) {
  pthread_mutex_destroy(lock);
  free(lock);
}

void cbl_posix_lock_take(void *lock) { pthread_mutex_lock(lock); }

void cbl_posix_lock_release(void *lock) { pthread_mutex_unlock(lock); }
