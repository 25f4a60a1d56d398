/*
 * The interpreter: does what the program `lua` does with a parsed command line. Messages, tracebacks, the
 * table `arg` and the exit status are those of Lua 5.4's own program, so that this program can replace
 * it; ConnectByListCommandTests compares the two.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cbl_host.h"
#include "cbl_lua_headers.h"
#include "cbl_lua_host.h"
#include "chunk.h"
#include "interactive.h"
#include "preload.h"

struct run {
  const struct cbl_host_invocation *invocation;
  /* The name before each message: `argv[0]`, as in Lua's program. */
  const char *name;
  struct cbl_host_line_reader reader;
};

/* ---- Chunks ---- */

/* Calls the function below its arguments, without results. Returns whether it succeeded. */
static bool call(lua_State *L, const struct run *run, int argument_count) {
  int status = cbl_host_call(L, argument_count, 0, run->invocation->takes_interrupts);
  return cbl_host_report(L, run->name, status);
}

static bool run_text(lua_State *L, const struct run *run, const char *text, const char *chunk_name) {
  if (!cbl_host_report(L, run->name, luaL_loadbuffer(L, text, strlen(text), chunk_name)))
    return false;
  return call(L, run, 0);
}

static bool run_file(lua_State *L, const struct run *run, const char *file) {
  return cbl_host_report(L, run->name, luaL_loadfile(L, file)) && call(L, run, 0);
}

/* ---- The steps before the program ---- */

/*
 * Requires a module and assigns it to a global variable: `name` for "-l name", `global` for
 * "-l global=name".
 */
static bool run_library(lua_State *L, const struct run *run, const char *text) {
  const char *equals = strchr(text, '=');
  lua_pushlstring(L, text, equals ? (size_t)(equals - text) : strlen(text));
  lua_getglobal(L, "require");
  lua_pushstring(L, equals ? equals + 1 : text);
  int status = cbl_host_call(L, 1, 1, run->invocation->takes_interrupts);
  if (!cbl_host_report(L, run->name, status)) return false;
  lua_pushglobaltable(L);
  lua_insert(L, -3);
  lua_settable(L, -3);
  lua_pop(L, 1); /* the global table */
  return true;
}

static bool run_step(lua_State *L, const struct run *run, const struct cbl_host_step *step) {
  switch (step->kind) {
    case CBL_HOST_STATEMENT: return run_text(L, run, step->text, "=(command line)");
    case CBL_HOST_LIBRARY: return run_library(L, run, step->text);
    case CBL_HOST_WARNINGS: lua_warning(L, "@on", 0); return true;
  }
  return false;
}

/* Runs the text of LUA_INIT, or the file that it names after "@". */
static bool run_environment(lua_State *L, const struct run *run) {
  const char *chunk_name = "=LUA_INIT" LUA_VERSUFFIX;
  const char *text = getenv(chunk_name + 1);
  if (text == NULL) {
    chunk_name = "=LUA_INIT";
    text = getenv(chunk_name + 1);
  }
  if (text == NULL) return true;
  if (text[0] == '@') return run_file(L, run, text + 1);
  return run_text(L, run, text, chunk_name);
}

/* ---- The program ---- */

/*
 * Pushes the script's arguments and returns their number. Reads them from the table `arg`, not from the
 * command line, so that LUA_INIT and `-e` can change them.
 */
static int push_arguments(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int table = lua_gettop(L);
  int count = (int)luaL_len(L, table);
  luaL_checkstack(L, count + 3, "too many arguments to script");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

static void interact(lua_State *L, struct run *run) {
  cbl_host_line_reader_open(&run->reader);
  cbl_host_interact(L, &run->reader, run->invocation->takes_interrupts);
}

static void show_version(void) {
  printf("%s %s, %s\n", CBL_HOST_NAME, CBL_VERSION, LUA_COPYRIGHT);
  fflush(stdout);
}

/* Without a program, and where the options ask for nothing else, a terminal gets the interactive mode. */
static bool run_program(lua_State *L, struct run *run) {
  const struct cbl_host_invocation *invocation = run->invocation;
  const char *file = NULL;
  switch (invocation->program) {
    case CBL_HOST_NO_PROGRAM: return true;
    case CBL_HOST_FILE: file = invocation->argv[invocation->script]; break;
    case CBL_HOST_STANDARD_INPUT: break;
    case CBL_HOST_TERMINAL_OR_STANDARD_INPUT:
      if (!isatty(STDIN_FILENO)) break;
      show_version();
      interact(L, run);
      return true;
  }
  if (!cbl_host_report(L, run->name, luaL_loadfile(L, file))) return false;
  return call(L, run, invocation->script > 0 ? push_arguments(L) : 0);
}

/* ---- The run ---- */

/* Sets the global table `arg`: the script's name at 0, its arguments after it, the rest before. */
static void set_arg(lua_State *L, const struct cbl_host_invocation *invocation) {
  int script = invocation->script;
  lua_createtable(L, invocation->argc > script ? invocation->argc - script - 1 : 0, script + 1);
  for (int i = 0; i < invocation->argc; i++) {
    lua_pushstring(L, invocation->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

/* The whole run, in a protected call: an allocation that fails outside of one ends the process. */
static int run_protected(lua_State *L) {
  struct run *run = lua_touserdata(L, 1);
  const struct cbl_host_invocation *invocation = run->invocation;
  luaL_checkversion(L);
  if (invocation->shows_version) show_version();
  if (invocation->ignores_environment) {
    /* The key that Lua's library `package` looks for; `LUA_PATH` and `LUA_CPATH` then have no effect. */
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  cbl_host_preload(L);
  set_arg(L, invocation);
  lua_gc(L, LUA_GCGEN, 0, 0); /* as in Lua's program */
  bool has_succeeded = invocation->ignores_environment || run_environment(L, run);
  for (int i = 0; has_succeeded && i < invocation->step_count; i++)
    has_succeeded = run_step(L, run, &invocation->steps[i]);
  has_succeeded = has_succeeded && run_program(L, run);
  if (has_succeeded && invocation->is_interactive) interact(L, run);
  lua_pushboolean(L, has_succeeded);
  return 1;
}

int cbl_host_run(const struct cbl_host_invocation *invocation) {
  lua_State *L = luaL_newstate();
  if (L == NULL || (invocation->policy && cbl_lua_set_policy(L, invocation->policy) != 0)) {
    cbl_host_report_error("cannot create state: not enough memory");
    if (L) lua_close(L);
    return EXIT_FAILURE;
  }
  bool has_name = invocation->argc > 0 && invocation->argv[0][0] != '\0';
  struct run run = {
    .invocation = invocation, .name = has_name ? invocation->argv[0] : CBL_HOST_NAME};
  lua_pushcfunction(L, run_protected);
  lua_pushlightuserdata(L, &run);
  bool has_succeeded =
    cbl_host_report(L, run.name, lua_pcall(L, 1, 1, 0)) && lua_toboolean(L, -1);
  lua_close(L);
  cbl_host_line_reader_close(&run.reader);
  return has_succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}
