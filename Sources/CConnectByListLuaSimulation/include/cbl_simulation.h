/* What the Lua module `connectbylist.simulation_core` asks of Swift. Includes no Lua header. */
#ifndef CBL_SIMULATION_H
#define CBL_SIMULATION_H

#include <stdbool.h>
#include <stddef.h>

struct cbl_simulation_text {
  const char *bytes; /* not terminated; valid until the object is released */
  size_t length;
};

enum cbl_simulation_question {
  CBL_SIMULATION_RUN,    /* a line an event, with tabs between the fields; then the transcript */
  CBL_SIMULATION_EXPLAIN /* the plan, a line a pair */
};

/* The longest scenario, in bytes. */
enum { CBL_SIMULATION_LENGTH_MAX = 16 << 20 };

/* Runs or explains a scenario of at most CBL_SIMULATION_LENGTH_MAX bytes. The object that it returns is released
 * by cbl_simulation_release. */
void *cbl_simulation_new(const char *scenario, size_t length, enum cbl_simulation_question question);
void cbl_simulation_release(void *object);

/* Whether the scenario was understood. If not, the first text is the message. */
bool cbl_simulation_is_understood(void *object);
/* index: 0, and 1 for the transcript. */
struct cbl_simulation_text cbl_simulation_text_at(void *object, int index);

#endif
