/* The secret of hash tables whose keys come from input. */
#define _GNU_SOURCE
#include "cbl_posix.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* The finalizer of SplitMix64: every bit of the result depends on every bit of the value. */
static uint64_t mixed(uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

/* Fills up to 256 bytes: for that many getrandom neither returns less nor is interrupted by a signal. */
static void fill_unpredictable(void *bytes, size_t count) {
  if (getrandom(bytes, count, GRND_NONBLOCK) == (ssize_t)count) return;
  /* Address space layout randomization makes the addresses of the stack and of this image unpredictable. */
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t state = mixed((uintptr_t)&now);
  state = mixed(state ^ (uintptr_t)&fill_unpredictable);
  state = mixed(state ^ ((uint64_t)now.tv_sec << 32 | (uint64_t)now.tv_nsec));
  for (size_t i = 0; i < count; i += sizeof state) {
    state = mixed(state + 0x9e3779b97f4a7c15);
    memcpy((char *)bytes + i, &state, count - i < sizeof state ? count - i : sizeof state);
  }
}

static uint64_t process_secret[2];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void make_secret(void) { fill_unpredictable(process_secret, sizeof process_secret); }

void cbl_posix_hash_secret(uint64_t secret[2]) {
  pthread_once(&secret_once, make_secret);
  memcpy(secret, process_secret, sizeof process_secret);
}

#ifdef CONNECTBYLIST_MODULE
/* Embedded Swift seeds `Hasher` with arc4random_buf, once. glibc has that function since 2.36, and the module
 * runs with 2.34, so it brings its own. It is hidden, so other code of the process keeps glibc's. The ordinary
 * build must not define it: there it would replace glibc's in the whole program. */
__attribute__((visibility("hidden"))) void arc4random_buf(void *bytes, size_t count) {
  fill_unpredictable(bytes, count);
}
#endif
