/* Which system calls of a thread fail, and which are late, for tests. Not part of release builds. */
#include <errno.h>
#include <time.h>

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
  if (delay_us > 0) nanosleep(&(struct timespec){.tv_nsec = delay_us * 1000L}, NULL);
  long number = ++faults[call].made;
  if (!faults[call].error || number < faults[call].first || number > faults[call].last) return 0;
  errno = faults[call].error;
  return 1;
}

#endif
