#ifndef CHOST_H
#define CHOST_H

/*
 * The interpreter behind the program `connectbylist`, as Swift sees it. Lua's errors are jumps, and
 * a jump over a Swift frame is undefined: so Swift reads the command line and C runs it, and this
 * header shows no Lua at all.
 */

#include <stdbool.h>
#include <stddef.h>

/* The name in front of each message on the standard error stream. */
#define CBL_HOST_NAME "connectbylist"

/* The program itself, which runs after the statements. */
enum cbl_host_program {
  CBL_HOST_NO_PROGRAM,
  CBL_HOST_FILE,          /* the file that `argv[script]` names */
  CBL_HOST_STANDARD_INPUT /* what the standard input says, as one chunk */
};

/*
 * One run of the interpreter. All strings belong to the caller and have to outlive the run.
 */
struct cbl_host_invocation {
  /* The whole command line; Lua's table `arg` is made of it. */
  int argc;
  char *const *argv;

  enum cbl_host_program program;

  /*
   * Where in `argv` the script's name (or `-`) stands: `arg[0]`. What follows are the script's
   * arguments, what precedes has negative indices. Zero where the command line has none: then
   * `arg[0]` is the interpreter, and the program gets no arguments.
   */
  int script;

  /* The `-e` statements, run in this order before the program. */
  const char *const *statements;
  int statement_count;

  /* Whether to print the versions of this program and of Lua before anything else. */
  bool shows_version;

  /*
   * Whether SIGINT ends a running chunk with the error "interrupted!". A signal's action belongs to
   * the whole process: a caller that runs Lua within a larger program (a test) leaves this false,
   * and may then run on several threads at once.
   */
  bool takes_interrupts;
};

/*
 * Runs Lua as the invocation says, in a state of its own that is closed again, and returns the
 * process's exit status: 0, or 1 after an error, which has then been written to the standard error
 * stream with its traceback. Does not return where Lua calls `os.exit`.
 */
int cbl_host_run(const struct cbl_host_invocation *invocation);

/* Writes "connectbylist: message" and a line's end to the standard error stream. */
void cbl_host_complain(const char *message);

/* A Lua file that is part of the program. */
struct cbl_host_embedded {
  const char *module;        /* as `require` names it */
  const unsigned char *text; /* ends with a zero byte; Lua text holds no other */
};

/* All Lua files that are part of the program. */
const struct cbl_host_embedded *cbl_host_embedded_files(size_t *count);

#endif
