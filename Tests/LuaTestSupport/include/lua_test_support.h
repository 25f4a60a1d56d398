/* Lua states whose memory is counted and runs out when a test says so, for AllocationTests. Swift
 * sees this header: there is no Lua in it. */
#ifndef BORDER_SUPPORT_H
#define BORDER_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

enum cbl_test_ending {
  CBL_TEST_DONE,
  CBL_TEST_OUT_OF_MEMORY, /* "not enough memory" was raised */
  CBL_TEST_BROKEN         /* anything else; see message */
};

/* What became of one run of a section. */
struct cbl_test_outcome {
  enum cbl_test_ending ending;
  /* How many allocations the section asked for until it ended. */
  long request_count;
  /* What Lua had not given back when its state was closed. */
  size_t live_bytes;
  /* Why it is broken: the section's error, or that of its second run, which has all the memory it
   * wants. */
  char message[400];
};

/* Runs a section of a script, in a state of its own with the module built in. `text` is the
 * script's; it returns an array of {name=, setup=, run=}. From the `first` allocation that `run`
 * asks for until the `last` there is no memory. Then `run` runs again in the same state,
 * undisturbed, and must succeed. */
void cbl_test_run(const char *text, int section, long first, long last,
                  struct cbl_test_outcome *outcome);

/* The name of a section; false where there is none at this place, from 1. */
bool cbl_test_section_name(const char *text, int section, char name[64]);

/* Calls the body in a thread that has a table of descriptors of its own, with nothing in it but 0,
 * 1 and 2: what other tests open and close meanwhile is not in it. Returns 0, or an errno. */
int cbl_test_with_own_descriptors(void (*body)(void *), void *context);

/* How many descriptors the calling thread's table has. */
int cbl_test_descriptor_count(void);

/* Runs a program in a folder, with what it writes in a file and no signal blocked. `arguments` begins
 * with the program's path and ends with NULL. Returns its exit status; the signal that ended it,
 * negative (SIGKILL after so many seconds); below -1000 an errno, where it could not be started.
 * Foundation's Process would do, but loses a few bytes with each: a leak, to the address sanitizer. */
int cbl_test_run_program(char *const arguments[], const char *folder, const char *output,
                         int seconds_max);

#endif
