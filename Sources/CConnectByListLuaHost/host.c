/*
 * The interpreter: does what the program `lua` does with a parsed command line. Messages, tracebacks, the
 * table `arg` and the exit status are those of Lua 5.4's own program, so that this program can replace
 * it; ConnectByListCommandTests compares the two.
 */

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cbl_host.h"
#include "cbl_lua_headers.h"
#include "preload.h"

/* ---- Messages ---- */

void cbl_host_report_error(const char *message) {
  fprintf(stderr, "%s: %s\n", CBL_HOST_NAME, message);
  fflush(stderr);
}

/* Returns whether the status is LUA_OK. Otherwise pops the error value and writes it. */
static bool report(lua_State *L, int status) {
  if (status == LUA_OK) return true;
  /* If the message handler itself failed, the error value may be of any type. */
  const char *message = lua_tostring(L, -1);
  cbl_host_report_error(message ? message : "(error message not a string)");
  lua_pop(L, 1);
  return false;
}

/*
 * The message handler: converts the error value to text and adds the traceback, while the stack is still
 * that of the error. A value with `__tostring` gets no traceback, as in Lua's program.
 */
static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

/* ---- Interrupts ---- */

/* The state that SIGINT interrupts. Global, because a signal handler has no argument for it. */
static _Atomic(lua_State *) interruptible;

static void raise_interrupted(lua_State *L, lua_Debug *activation) {
  (void)activation;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/*
 * A signal handler may interrupt Lua at any point, where it must not raise. lua_sethook is the one
 * function that Lua's manual allows here; the hook then raises before the next instruction. A main thread
 * that waits for a coroutine runs no instruction: there a second SIGINT, whose action is the default
 * again, ends the process.
 */
static void on_interrupt(int number) {
  (void)number;
  lua_State *L = atomic_load(&interruptible);
  int any_event = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
  if (L) lua_sethook(L, raise_interrupted, any_event, 1);
}

static void set_interrupts(lua_State *L, struct sigaction *previous) {
  atomic_store(&interruptible, L);
  /* No SA_RESTART: a system call that the script waits in returns EINTR, so that the hook runs. */
  struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, previous);
}

static void reset_interrupts(const struct sigaction *previous) {
  sigaction(SIGINT, previous, NULL);
  atomic_store(&interruptible, NULL);
}

/* ---- Chunks ---- */

/* Calls the function below its arguments, without results. Returns whether it succeeded. */
static bool call(lua_State *L, int argument_count, const struct cbl_host_invocation *invocation) {
  int function = lua_gettop(L) - argument_count;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, function);
  struct sigaction previous;
  if (invocation->takes_interrupts) set_interrupts(L, &previous);
  int status = lua_pcall(L, argument_count, 0, function);
  if (invocation->takes_interrupts) reset_interrupts(&previous);
  lua_remove(L, function); /* the handler */
  return report(L, status);
}

static bool run_text(lua_State *L, const char *text, const char *chunk_name,
                     const struct cbl_host_invocation *invocation) {
  if (!report(L, luaL_loadbuffer(L, text, strlen(text), chunk_name))) return false;
  return call(L, 0, invocation);
}

/* Runs the text of LUA_INIT, or the file that it names after "@". */
static bool run_environment(lua_State *L, const struct cbl_host_invocation *invocation) {
  const char *chunk_name = "=LUA_INIT" LUA_VERSUFFIX;
  const char *text = getenv(chunk_name + 1);
  if (text == NULL) {
    chunk_name = "=LUA_INIT";
    text = getenv(chunk_name + 1);
  }
  if (text == NULL) return true;
  if (text[0] != '@') return run_text(L, text, chunk_name, invocation);
  if (!report(L, luaL_loadfile(L, text + 1))) return false;
  return call(L, 0, invocation);
}

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

static bool run_program(lua_State *L, const struct cbl_host_invocation *invocation) {
  if (invocation->program == CBL_HOST_NO_PROGRAM) return true;
  const char *file =
    invocation->program == CBL_HOST_FILE ? invocation->argv[invocation->script] : NULL;
  if (!report(L, luaL_loadfile(L, file))) return false;
  return call(L, invocation->script > 0 ? push_arguments(L) : 0, invocation);
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

/* The program has the version of the module. */
static void show_version(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, CBL_HOST_NAME);
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "version");
  printf("%s %s, %s\n", CBL_HOST_NAME, luaL_tolstring(L, -1, NULL), LUA_COPYRIGHT);
  fflush(stdout);
  lua_pop(L, 3);
}

/* The whole run, in a protected call: an allocation that fails outside of one ends the process. */
static int run_protected(lua_State *L) {
  const struct cbl_host_invocation *invocation = lua_touserdata(L, 1);
  luaL_checkversion(L);
  luaL_openlibs(L);
  cbl_host_preload(L);
  set_arg(L, invocation);
  lua_gc(L, LUA_GCGEN, 0, 0); /* as in Lua's program */
  if (invocation->shows_version) show_version(L);
  bool has_succeeded = run_environment(L, invocation);
  for (int i = 0; has_succeeded && i < invocation->statement_count; i++)
    has_succeeded = run_text(L, invocation->statements[i], "=(command line)", invocation);
  lua_pushboolean(L, has_succeeded && run_program(L, invocation));
  return 1;
}

int cbl_host_run(const struct cbl_host_invocation *invocation) {
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    cbl_host_report_error("cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, run_protected);
  lua_pushlightuserdata(L, (void *)invocation);
  bool has_succeeded = report(L, lua_pcall(L, 1, 1, 0)) && lua_toboolean(L, -1);
  lua_close(L);
  return has_succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}
