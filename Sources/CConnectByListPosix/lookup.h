/* One question about a name, and what the system's resolver answers. Private to this target. */
#ifndef CBL_POSIX_LOOKUP_H
#define CBL_POSIX_LOOKUP_H

#include "internal.h"

struct question {
  struct question *next;
  struct cbl_posix_resolver *resolver;
  /* The thread's place in the pool; see resolver.c. */
  struct question *next_at_work, *previous_at_work;
  int64_t started_ns;
  char *host;
  char *service; /* NULL: `port` is given */
  struct cbl_posix_answer answer;
  int kind; /* CBL_POSIX_ASKS_… */
  uint16_t port;
};

/* Blocks, and fills in the answer. */
void cbl_posix_look_up(struct question *question);

#endif
