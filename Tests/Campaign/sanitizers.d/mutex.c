/* Preloaded with the thread sanitizer: makes it see the locks of Swift's `Mutex` (Synchronization) that two threads want
 * at once. Those are taken and given back in libswiftSynchronization, which the sanitizer has not compiled; without
 * this, two threads and one `Mutex<[Int]>` are enough for a report (Swift 6.3.1). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

/* Not in the programs that the tests start, such as `swift test` itself. */
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

typedef SWIFT void lock_function(uint32_t thread, SELF void *mutex);
typedef SWIFT void unlock_function(SELF void *mutex);

/* Synchronization._MutexHandle._lockSlow(UInt32) and _unlockSlow() */
SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void unlock_slow(SELF void *mutex) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
  lock_function *next = (lock_function *)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
  next(thread, mutex);
  if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
  unlock_function *next = (unlock_function *)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
  if (__tsan_release) __tsan_release(mutex);
  next(mutex);
}
