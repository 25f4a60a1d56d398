/* Which system calls of a thread fail, and which are late, and a thread's own time, for tests. Not part of release
 * builds. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

#ifdef CBL_POSIX_FAULTS

static _Thread_local struct {
  long made;  /* calls since the fault was set */
  long first; /* the first that fails, from 1 */
  long last;
  int error; /* 0: none fails */
} faults[CBL_POSIX_CALL_COUNT];

static int delays_us[CBL_POSIX_CALL_COUNT]; /* atomic */

void cbl_posix_set_delay(enum cbl_posix_call call, int microseconds) {
  __atomic_store_n(&delays_us[call], microseconds, __ATOMIC_RELAXED);
}

void cbl_posix_set_fault(enum cbl_posix_call call, long first, long last, int error) {
  faults[call].made = 0;
  faults[call].first = first;
  faults[call].last = last;
  faults[call].error = error;
}

long cbl_posix_calls_made(enum cbl_posix_call call) { return faults[call].made; }

int cbl_posix_takes_fault(enum cbl_posix_call call) {
  int delay_us = __atomic_load_n(&delays_us[call], __ATOMIC_RELAXED);
  if (delay_us > 0) (nanosleep)(&(struct timespec){.tv_nsec = delay_us * 1000L}, NULL);
  long number = ++faults[call].made;
  if (!faults[call].error || number < faults[call].first || number > faults[call].last) return 0;
  errno = faults[call].error;
  return 1;
}

/* --- a thread's own time --- */

/* A function's name in parentheses is not the macro. */
static _Thread_local struct {
  bool is_on;
  int64_t now_ns;    /* on its own clock */
  int64_t began_ns;  /* on the system's, as the others */
  int64_t wait_ns;   /* when the present wait began */
  int64_t asleep_ns; /* in waits */
  int64_t awake_ns;  /* when it began: on a processor, or ready to run */
} own;

static int64_t system_ns(void) {
  struct timespec now;
  (clock_gettime)(CLOCK_MONOTONIC, &now);
  return cbl_posix_span_of(&now);
}

int64_t cbl_posix_span_of(const struct timespec *span) {
  return span ? (int64_t)span->tv_sec * 1000000000 + span->tv_nsec : -1;
}

/* What this thread has run and has been ready to run; 0 where the kernel does not tell it. */
static int64_t awake_ns(void) {
  FILE *file = fopen("/proc/thread-self/schedstat", "re");
  long long ran = 0, ready = 0;
  if (!file) return 0;
  if (fscanf(file, "%lld %lld", &ran, &ready) != 2) ran = ready = 0;
  fclose(file);
  return ran + ready;
}

/* R: running or ready to run. D: in a system call that soon ends. */
static bool is_awake(const char *thread) {
  char path[64], line[256] = "";
  snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", thread);
  FILE *file = fopen(path, "re");
  if (!file) return false;
  if (!fgets(line, sizeof line, file)) line[0] = 0;
  fclose(file);
  const char *name_end = strrchr(line, ')');
  return name_end && (name_end[2] == 'R' || name_end[2] == 'D');
}

static bool is_another_awake(void) {
  DIR *threads = opendir("/proc/self/task");
  if (!threads) return false;
  bool found = false;
  for (struct dirent *entry; !found && (entry = readdir(threads));)
    found = entry->d_name[0] != '.' && atoi(entry->d_name) != gettid() && is_awake(entry->d_name);
  closedir(threads);
  return found;
}

void cbl_posix_begin_own_time(void) {
  own.asleep_ns = 0;
  own.now_ns = own.began_ns = system_ns();
  own.awake_ns = awake_ns();
  own.is_on = true;
}

int64_t cbl_posix_end_own_time(void) {
  own.is_on = false;
  return system_ns() - own.began_ns - own.asleep_ns - (awake_ns() - own.awake_ns);
}

int cbl_posix_own_clock(clockid_t clock, struct timespec *now) {
  if (!own.is_on || clock != CLOCK_MONOTONIC) return (clock_gettime)(clock, now);
  own.now_ns += 1000;
  now->tv_sec = own.now_ns / 1000000000;
  now->tv_nsec = own.now_ns % 1000000000;
  return 0;
}

void cbl_posix_wait_begins(void) {
  if (own.is_on) own.wait_ns = system_ns();
}

int cbl_posix_wait_ends(int result, int64_t span_ns) {
  if (!own.is_on) return result;
  int error = errno;
  if (result == 0 && span_ns > 0 && !is_another_awake()) own.now_ns += span_ns;
  own.asleep_ns += system_ns() - own.wait_ns;
  errno = error;
  return result;
}

#endif
