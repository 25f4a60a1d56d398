#ifndef CBL_HOST_H
#define CBL_HOST_H

/*
 * The interpreter of the program `connectbylist`, as Swift sees it. Lua raises errors with longjmp, and a
 * jump over a Swift frame is undefined: so Swift parses the command line, C runs it, and this header
 * includes no Lua header.
 */

#include <stdbool.h>
#include <stddef.h>

/* The name before each message on the standard error stream. */
#define CBL_HOST_NAME "connectbylist"

/* What runs after the `-e` statements. */
enum cbl_host_program {
  CBL_HOST_NO_PROGRAM,
  CBL_HOST_FILE,          /* the file that `argv[script]` names */
  CBL_HOST_STANDARD_INPUT /* the standard input, as one chunk */
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

  /* The `-e` statements, which run in this order before the program. */
  const char *const *statements;
  int statement_count;

  /* Whether to print the versions of this program and of Lua first. */
  bool shows_version;

  /*
   * Whether SIGINT ends a running chunk with the error "interrupted!". A signal's action belongs to the
   * whole process: a caller that runs Lua within a larger program, such as a test, leaves this false, and
   * may then run on several threads at once.
   */
  bool takes_interrupts;
};

/*
 * Runs Lua as the invocation says, in a new state that is closed at the end. Returns the process's exit
 * status: 0, or 1 after an error, which it has written to the standard error stream with its traceback.
 * Does not return if the script calls `os.exit`.
 */
int cbl_host_run(const struct cbl_host_invocation *invocation);

/* Writes "connectbylist: message" and a newline to the standard error stream. */
void cbl_host_report_error(const char *message);

/* A file's bytes, which the caller frees. */
struct cbl_host_text {
  unsigned char *bytes;
  size_t size;
};

/*
 * Reads a whole file of at most 64 MiB. Returns false, with nothing to free, if it fails: it has then
 * written the reason to the standard error stream.
 */
bool cbl_host_read_file(const char *path, struct cbl_host_text *text);

void cbl_host_free_text(struct cbl_host_text *text);

/* Writes to the standard output. */
void cbl_host_print(const unsigned char *bytes, size_t size);

/*
 * The program: takes main's arguments and returns the exit status. Implemented in Swift
 * (ConnectByListCommand). The arguments come from C because Swift's CommandLine finds them through /proc,
 * and is empty where that is not mounted.
 */
int cbl_host_main(int argc, char *const *argv);

#endif
