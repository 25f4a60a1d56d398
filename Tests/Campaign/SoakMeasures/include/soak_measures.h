/* What a process holds, for the soak test. Swift's Glibc module has no malloc.h. */
#ifndef SOAK_MEASURES_H
#define SOAK_MEASURES_H

#include <stddef.h>

struct cbl_soak_measures {
  long descriptors;
  long threads;
  size_t heap;            /* bytes that are allocated and not freed, without the blocks below; 0: not known */
  size_t dispatch_blocks; /* the blocks of 64 bytes that Dispatch holds, its free ones included */
  size_t resident;        /* bytes of resident memory, after free memory was given back */
};

struct cbl_soak_measures cbl_soak_measure(void);

/* Whether what libraries allocate is counted. To be called while there is one thread. */
int cbl_soak_counts(void);

/* What another process holds, from its files in /proc. Nobody but itself knows its `heap`. `resident` is without the
 * pages of files. */
struct cbl_soak_measures cbl_soak_measure_process(long id);

/* Makes lines of standard output appear at once, also in a pipe. */
void cbl_soak_buffer_lines(void);

#endif
