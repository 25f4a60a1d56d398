#ifndef CBL_HOST_STATE_H
#define CBL_HOST_STATE_H

/*
 * Lua states for programs that embed Lua, as Swift sees them: values go in and come out as records, and an
 * error is a status. No function here raises.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The standard libraries to open. */
enum {
  CBL_HOST_LIBRARY_BASE = 1 << 0,
  CBL_HOST_LIBRARY_PACKAGE = 1 << 1,
  CBL_HOST_LIBRARY_COROUTINE = 1 << 2,
  CBL_HOST_LIBRARY_TABLE = 1 << 3,
  CBL_HOST_LIBRARY_IO = 1 << 4,
  CBL_HOST_LIBRARY_OS = 1 << 5,
  CBL_HOST_LIBRARY_STRING = 1 << 6,
  CBL_HOST_LIBRARY_MATH = 1 << 7,
  CBL_HOST_LIBRARY_UTF8 = 1 << 8,
  CBL_HOST_LIBRARY_DEBUG = 1 << 9,
  /* Takes away what could read files, load precompiled chunks or make finalizers: see sandbox.c. The module
   * is open then, as the global variable `connectbylist`. */
  CBL_HOST_LIBRARY_SANDBOX = 1 << 10
};

enum cbl_host_kind {
  CBL_HOST_NIL,
  CBL_HOST_BOOLEAN, /* integer: 0 or 1 */
  CBL_HOST_INTEGER,
  CBL_HOST_NUMBER,
  CBL_HOST_TEXT,  /* bytes, count */
  CBL_HOST_TABLE, /* its keys and values follow, each key before its value, then CBL_HOST_END */
  CBL_HOST_END,
  CBL_HOST_OTHER /* result: bytes, count: the type's name */
};

struct cbl_host_value {
  enum cbl_host_kind kind;
  int64_t integer;
  double number;
  const void *bytes;
  size_t count;
};

/* What a call does with its value on top of the stack. */
enum cbl_host_action {
  CBL_HOST_RUN_TEXT,   /* runs `text` as a chunk of the name `name` */
  CBL_HOST_RUN_FILE,   /* runs the file `name` */
  CBL_HOST_CALL,       /* calls the global `name`; points in it go into tables: "handler.on_request" */
  CBL_HOST_SET_GLOBAL, /* sets the global `name` to the only argument */
  CBL_HOST_GET_GLOBAL  /* returns the global `name` */
};

enum cbl_host_status {
  CBL_HOST_OK,
  CBL_HOST_FAILED, /* an error of the script, or of its text */
  CBL_HOST_NO_MEMORY,
  CBL_HOST_TIME_LIMIT,
  CBL_HOST_CANCELLED
};

struct cbl_host_buffer {
  unsigned char *bytes;
  size_t count, capacity;
};

struct cbl_host_request {
  enum cbl_host_action action;
  const char *name;
  const void *text;
  size_t text_count;
  const struct cbl_host_value *arguments;
  size_t argument_count; /* records, those inside tables included */
  int64_t time_limit_ns; /* below 0: none */
  int cancel_fd;         /* -1: none */

  /* Results: `value_count` records. On an error the first three are the error value, its text and the
   * traceback. They are valid until cbl_host_release. */
  const struct cbl_host_value *values;
  size_t value_count;
  struct cbl_host_buffer records, texts;
};

/* A new state in which `require` finds the module; NULL if there is no memory. `memory_max`: the most bytes
 * that Lua may have for it; 0: no limit. With `has_limits`, limits hold
 * in all its coroutines, and `debug.sethook` is missing. Takes the policy over, an object of Swift; NULL:
 * everything is allowed. */
void *cbl_host_state_new(unsigned libraries, bool has_limits, size_t memory_max, void *policy);

/* Replaces the policy, which it takes over. Returns whether there was memory for it. */
bool cbl_host_state_set_policy(void *state, void *policy);

/* Runs finalizers and frees the state. */
void cbl_host_state_close(void *state);

enum cbl_host_status cbl_host_state_run(void *state, struct cbl_host_request *request);

/* Frees what a run has left in the request. */
void cbl_host_release(struct cbl_host_request *request);

#endif
