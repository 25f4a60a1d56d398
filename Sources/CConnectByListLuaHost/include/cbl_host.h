#ifndef CBL_HOST_H
#define CBL_HOST_H

/*
 * The interpreter of the program `connectbylist`, as Swift sees it. Lua raises errors with longjmp, and a
 * jump over a Swift frame is undefined: so Swift parses the command line, C runs it, and this header
 * includes no Lua header.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cbl_version.h"

/* The name before messages: of the tools, and of the interpreter where `argv[0]` is missing. */
#define CBL_HOST_NAME "connectbylist"

/* What an option does before the program runs. */
enum cbl_host_step_kind {
  CBL_HOST_STATEMENT, /* `-e`: runs the text */
  CBL_HOST_LIBRARY,   /* `-l`: requires the module `name`, or with "global=name" into that global */
  CBL_HOST_WARNINGS   /* `-W`: turns warnings on; has no text */
};

struct cbl_host_step {
  enum cbl_host_step_kind kind;
  const char *text;
};

/* What runs after the steps. */
enum cbl_host_program {
  CBL_HOST_NO_PROGRAM,
  CBL_HOST_FILE,           /* the file that `argv[script]` names */
  CBL_HOST_STANDARD_INPUT, /* the standard input, as one chunk */
  /* The interactive mode where the standard input is a terminal, otherwise the standard input. */
  CBL_HOST_TERMINAL_OR_STANDARD_INPUT
};

/* One run of the interpreter. All strings belong to the caller and must outlive the run. */
struct cbl_host_invocation {
  /* The whole command line, for Lua's table `arg`. */
  int argc;
  char *const *argv;

  enum cbl_host_program program;

  /*
   * The index in `argv` of the script's name or of `-`, which becomes `arg[0]`. The script's arguments
   * follow it; what precedes it gets negative indices. Zero if there is no script: then `arg[0]` is the
   * interpreter, and the program gets no arguments.
   */
  int script;

  /* What runs before the program, in this order. */
  const struct cbl_host_step *steps;
  int step_count;

  /* `-v`: whether to print the versions of this program and of Lua first. */
  bool shows_version;
  /* `-i`: whether the interactive mode follows the program. */
  bool is_interactive;
  /* `-E`: whether LUA_INIT, LUA_PATH, LUA_CPATH and their `_5_4` forms have no effect. */
  bool ignores_environment;

  /*
   * Whether SIGINT ends a running chunk with the error "interrupted!". A signal's action belongs to the
   * whole process: a caller that runs Lua within a larger program, such as a test, leaves this false, and
   * may then run on several threads at once.
   */
  bool takes_interrupts;

  /* Where the script may connect to: an object of Swift, which the run takes over. NULL: everywhere. */
  void *policy;
};

/*
 * Runs Lua as the invocation says, in a new state that is closed at the end. Returns the process's exit
 * status: 0, or 1 after an error, which it has written to the standard error stream with its traceback.
 * Does not return if the script calls `os.exit`.
 */
int cbl_host_run(const struct cbl_host_invocation *invocation);

/* Writes "connectbylist: message" and a newline to the standard error stream. */
void cbl_host_report_error(const char *message);

/*
 * Writes a report of a connect to a descriptor: as `tostring` gives it for the format "text", otherwise what
 * the report's method of that name returns ("json"). Takes the report over, the object of a
 * Lua report. Returns whether it was written; if not, the reason is on the standard error
 * stream.
 */
bool cbl_host_write_report(void *report, const char *format, int descriptor);

/*
 * The program: takes main's arguments and returns the exit status. Implemented in Swift, in
 * ConnectByListCommand.
 */
int cbl_host_main(int argc, char *const *argv);

#endif
