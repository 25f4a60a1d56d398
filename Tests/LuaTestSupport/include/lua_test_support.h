/* Lua states that count their memory and fail chosen allocations, for AllocationTests. Swift imports this
 * header, so it includes no Lua header. */
#ifndef LUA_TEST_SUPPORT_H
#define LUA_TEST_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

enum cbl_test_ending {
  CBL_TEST_DONE,
  CBL_TEST_OUT_OF_MEMORY, /* "not enough memory" was raised */
  CBL_TEST_BROKEN         /* anything else; see message */
};

/* The result of one run of a section. */
struct cbl_test_outcome {
  enum cbl_test_ending ending;
  /* How many allocations the section requested. */
  long request_count;
  /* Bytes that Lua had not freed when its state was closed. */
  size_t live_bytes;
  /* For CBL_TEST_BROKEN: the error of the section, or of its second run, in which no allocation fails. */
  char message[400];
};

/* Runs a section of a script, in a new state in which the module can be required. `text` is the script,
 * which returns an array of {name=, setup=, run=}. The allocations that `run` requests fail from the
 * `first` to the `last`. Then `run` runs again in the same state without failing allocations, and must
 * succeed. */
void cbl_test_run(const char *text, int section, long first, long last,
                  struct cbl_test_outcome *outcome);

/* The name of a section; false if there is none at this place, from 1. */
bool cbl_test_section_name(const char *text, int section, char name[64]);

/* Calls the body in a thread with its own table of descriptors, in which only 0, 1 and 2 are open: it does
 * not contain what other tests open and close meanwhile. Returns 0, or an errno. */
int cbl_test_with_own_descriptors(void (*body)(void *), void *context);

/* The number of open descriptors in the calling thread's table. */
int cbl_test_descriptor_count(void);

/* Runs a program in a folder, with its output to a file and no signal blocked. `arguments` begins with the
 * program's path and ends with NULL. Returns its exit status; if a signal ended it (SIGKILL after
 * `seconds_max`), the signal's negative number; if it could not be started, -1000 minus the errno. Not
 * Foundation's Process, which leaks a few bytes that the address sanitizer reports. */
int cbl_test_run_program(char *const arguments[], const char *folder, const char *output,
                         int seconds_max);

#endif
