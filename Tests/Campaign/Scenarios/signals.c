/* For LD_PRELOAD: in the programs whose names are in SIGNALS_IN, separated by spaces, each thread gets a signal each
 * millisecond, whose handler is installed without SA_RESTART. SIGNALS_LOG: a file that gets a line at the end of each of
 * these programs: how many signals came in the first thread, and how many in the others.
 *
 * What tests, Swift Testing and Lua's own `io` call, and take a signal there for a failure or for the end of a pause, goes on
 * here: fread, usleep, waitpid. The library calls none of them.
 *
 * A thread that starts with all signals blocked, as those of the library do, is left alone. Dispatch blocks them in the
 * threads of its pool, on which Swift's tasks and tests run: there SIGALRM stays open. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int is_on, in_first, in_others;
static pthread_key_t timer_of_thread;

static void handle(int number) {
  (void)number;
  __atomic_add_fetch(getpid() == gettid() ? &in_first : &in_others, 1, __ATOMIC_RELAXED);
}

static void end_timer(void *timer) { timer_delete((timer_t)((char *)timer - 1)); }

/* Begins the signals of this thread. Timers of this kind end at exec, and a forked child has none. */
static void begin_timer(void) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
  event._sigev_un._tid = gettid();
  struct itimerspec each = {{0, 1000000}, {0, 1000000}};
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer)) return;
  /* The first timer's number is 0, and NULL would be no value. */
  pthread_setspecific(timer_of_thread, (char *)timer + 1);
  timer_settime(timer, 0, &each, NULL);
}

struct start {
  void *(*body)(void *);
  void *argument;
};

static void *run_thread(void *argument) {
  struct start start = *(struct start *)argument;
  free(argument);
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  if (!sigismember(&blocked, SIGALRM)) begin_timer();
  return start.body(start.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
  int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
  struct start *start = is_on ? malloc(sizeof *start) : NULL;
  if (!start) return real(thread, attributes, body, argument);
  *start = (struct start){body, argument};
  int error = real(thread, attributes, run_thread, start);
  if (error) free(start);
  return error;
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  sigset_t open;
  /* Dispatch adds to the mask; the library sets it, and sets it back. */
  if (is_on && set && how == SIG_BLOCK) {
    open = *set;
    sigdelset(&open, SIGALRM);
    set = &open;
  }
  return sigprocmask(how, set, before) ? errno : 0;
}

size_t fread(void *into, size_t size, size_t count, FILE *file) {
  size_t (*real)(void *, size_t, size_t, FILE *) = dlsym(RTLD_NEXT, "fread");
  if (!is_on || !size) return real(into, size, count, file);
  size_t got = 0, wanted = size * count;
  while (got < wanted) {
    got += real((char *)into + got, 1, wanted - got, file);
    if (got == wanted || !ferror(file) || errno != EINTR) break;
    clearerr(file);
  }
  return got / size;
}

int usleep(useconds_t microseconds) {
  struct timespec left = {microseconds / 1000000, microseconds % 1000000 * 1000};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR && is_on) {}
  return 0;
}

pid_t waitpid(pid_t child, int *status, int options) {
  pid_t found;
  while ((found = wait4(child, status, options, NULL)) < 0 && errno == EINTR && is_on) {}
  return found;
}

static int is_meant(void) {
  const char *names = getenv("SIGNALS_IN"), *name = program_invocation_short_name;
  size_t size = strlen(name);
  for (const char *at = names; at && (at = strstr(at, name)); at += size) {
    if ((at == names || at[-1] == ' ') && (at[size] == ' ' || !at[size])) return 1;
  }
  return 0;
}

static void finish(void) {
  signal(SIGALRM, SIG_IGN);
  const char *path = getenv("SIGNALS_LOG");
  int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0666) : -1;
  if (fd < 0) return;
  char line[100];
  int size = snprintf(line, sizeof line, "%s %d %d\n", program_invocation_short_name, in_first, in_others);
  if (write(fd, line, (size_t)size) < 0) perror(path);
  close(fd);
}

__attribute__((constructor)) static void begin(void) {
  if (!is_meant()) return;
  is_on = 1;
  pthread_key_create(&timer_of_thread, end_timer);
  struct sigaction action = {.sa_handler = handle};
  sigaction(SIGALRM, &action, NULL);
  begin_timer();
  atexit(finish);
}
