/* Messages, tracebacks and interrupts: those of Lua's own program. */

#include "chunk.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cbl_host.h"

/* ---- Messages ---- */

void cbl_host_write_message(const char *name, const char *message) {
  if (name) fprintf(stderr, "%s: ", name);
  fprintf(stderr, "%s\n", message);
  fflush(stderr);
}

void cbl_host_report_error(const char *message) {
  cbl_host_write_message(CBL_HOST_NAME, message);
}

bool cbl_host_report(lua_State *L, const char *name, int status) {
  if (status == LUA_OK) return true;
  /* If the message handler itself failed, the error value may be of any type. */
  const char *message = lua_tostring(L, -1);
  cbl_host_write_message(name, message ? message : "(error message not a string)");
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

/* ---- Calls ---- */

int cbl_host_call(lua_State *L, int argument_count, int result_count, bool takes_interrupts) {
  int function = lua_gettop(L) - argument_count;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, function);
  struct sigaction previous;
  if (takes_interrupts) set_interrupts(L, &previous);
  int status = lua_pcall(L, argument_count, result_count, function);
  if (takes_interrupts) reset_interrupts(&previous);
  lua_remove(L, function); /* the handler */
  return status;
}
