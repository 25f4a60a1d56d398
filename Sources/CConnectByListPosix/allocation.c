/* Memory: buffers whose size comes from input and, in the module build, the objects of Embedded Swift. */
#include <stdlib.h>

#include "cbl_posix.h"
#include "faults.h"

void *cbl_posix_resize(void *memory, size_t size) { return realloc(memory, size); }

void cbl_posix_free(void *memory) { free(memory); }

/* The runtime of Embedded Swift allocates every object and array with posix_memalign, asks for an alignment of
 * 16. This function takes its place inside our shared objects (its visibility is hidden): malloc aligns to 16 as
 * well and takes half the instructions (measured with glibc 2.36: 41 instead of 95). */
#ifdef CONNECTBYLIST_MODULE

#include <errno.h>
#include <stddef.h>

#define DEFAULT_ALIGNMENT 16

_Static_assert(_Alignof(max_align_t) >= DEFAULT_ALIGNMENT, "what malloc aligns to");

__attribute__((visibility("hidden"))) int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *allocated =
      alignment <= DEFAULT_ALIGNMENT
          ? malloc(size)
          : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (!allocated) return ENOMEM;
  *memory = allocated;
  return 0;
}

/* Called for an object whose initializer has thrown before all its properties were set. The runtime's own, which is a
 * weak symbol, does nothing (Swift 6.3.1): the memory of the object would be lost. */
__attribute__((visibility("hidden"))) void swift_deallocPartialClassInstance(void *object, const void *metadata,
                                                                             size_t size, size_t alignment);

void swift_deallocPartialClassInstance(void *object, const void *metadata, size_t size, size_t alignment) {
  (void)metadata, (void)size, (void)alignment;
  free(object);
}

#endif
