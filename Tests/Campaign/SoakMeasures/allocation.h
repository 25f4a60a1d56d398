/* What is allocated and not freed in this process. Under a sanitizer both are 0: it has its own allocator. */
#ifndef SOAK_ALLOCATION_H
#define SOAK_ALLOCATION_H

#include <stddef.h>

/* In bytes, without the blocks below. */
size_t cbl_soak_allocated(void);

/* How many continuations Dispatch holds, its free ones included. */
size_t cbl_soak_dispatch_blocks(void);

#endif
