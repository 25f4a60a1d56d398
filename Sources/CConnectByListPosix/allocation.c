/* Memory for the objects of Embedded Swift, in the module build.
 *
 * The runtime of Embedded Swift allocates every object and array with posix_memalign, asks for an alignment of
 * 16, and uses the result without looking at the return value. This function takes its place inside our shared
 * objects (its visibility is hidden): malloc aligns to 16 as well and takes half the instructions (measured with
 * glibc 2.36: 41 instead of 95), and a failure ends the process here instead of at an address near 0. */
#ifdef CBL_POSIX_EMBEDDED

#include <stddef.h>
#include <stdlib.h>

#define DEFAULT_ALIGNMENT 16

_Static_assert(_Alignof(max_align_t) >= DEFAULT_ALIGNMENT, "what malloc aligns to");

__attribute__((visibility("hidden"))) int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *allocated =
      alignment <= DEFAULT_ALIGNMENT
          ? malloc(size)
          : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (!allocated) abort();
  *memory = allocated;
  return 0;
}

#endif
