/* Waiting: in `poll`, or by a function of the script. */
#include <errno.h>

#include "binding.h"
#include "cbl_posix.h"
#include "state.h"

/* A wait is a series of polls. A signal that sets a debug hook just before `poll` begins does not interrupt it,
 * and is seen when this one ends. It also bounds what `poll` oversleeps, 0.1 % of its timeout. */
static const int64_t POLL_MAX_NS = 1000000000;
/* With a debug hook set: how often it gets to run. */
static const int64_t HOOK_INTERVAL_NS = 50000000;
/* The most instructions that are run for a count hook. */
static const int HOOK_COUNT_MAX = 1000000;

/* --- hooks --- */

static lua_State *main_thread(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_State *thread = lua_tothread(L, -1);
  lua_pop(L, 1);
  return thread ? thread : L;
}

/* The thread whose hook has to run: this one or, since a signal handler interrupts the main thread, that one.
 * NULL: there is no hook. */
static lua_State *hooked_thread(lua_State *L) {
  if (lua_gethookmask(L)) return L;
  bool is_main = lua_pushthread(L) == 1;
  lua_pop(L, 1);
  if (is_main) return NULL;
  lua_State *thread = main_thread(L);
  return lua_gethookmask(thread) ? thread : NULL;
}

/* Pushes a function that runs as many instructions as its argument says. */
static void push_idle_function(lua_State *L) {
  static const char key;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) == LUA_TFUNCTION) return;
  lua_pop(L, 1);
  if (luaL_loadstring(L, "for _ = 1, ... do end") != LUA_OK) lua_error(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}

/* A hook runs when Lua calls a function, reaches a line or has executed instructions, so some code runs. */
static int run_idle_function(lua_State *L) {
  int count = lua_gethookmask(L) & LUA_MASKCOUNT ? lua_gethookcount(L) : 1;
  push_idle_function(L);
  lua_pushinteger(L, count < HOOK_COUNT_MAX ? count : HOOK_COUNT_MAX);
  lua_call(L, 1, 0);
  return 0;
}

/* Lends the main thread's hook to this coroutine. A hook that raises was set by a signal, for once: it is taken
 * from the main thread. */
static void run_hook_of(lua_State *L, lua_State *thread) {
  lua_Hook hook = lua_gethook(thread);
  lua_sethook(L, hook, lua_gethookmask(thread), lua_gethookcount(thread));
  lua_pushcfunction(L, run_idle_function);
  int status = lua_pcall(L, 0, 0, 0);
  if (lua_gethook(L) == hook) lua_sethook(L, NULL, 0, 0);
  if (status == LUA_OK) return;
  if (lua_gethook(thread) == hook) lua_sethook(thread, NULL, 0, 0);
  lua_error(L);
}

void cbl_lua_run_hooks(lua_State *L) {
  luaL_checkstack(L, 4, NULL);
  cbl_lua_check_limit(L);
  lua_State *thread = hooked_thread(L);
  if (thread == L) {
    run_idle_function(L);
  } else if (thread) {
    run_hook_of(L, thread);
  }
}

/* --- poll --- */

bool cbl_lua_block(lua_State *L, const struct cbl_lua_wait *wait, int *ready) {
  int limit_fd;
  int64_t limit = cbl_lua_wait_limit(L, &limit_fd);
  *ready = 0;
  for (;;) {
    int64_t span = -1;
    bool is_hooked = hooked_thread(L) != NULL;
    if (wait->until != INT64_MAX || limit != INT64_MAX) {
      int64_t now = cbl_posix_monotonic_ns();
      if (now >= wait->until) return true;
      if (now >= limit) return false;
      span = (wait->until < limit ? wait->until : limit) - now;
    }
    int64_t longest = is_hooked ? HOOK_INTERVAL_NS : POLL_MAX_NS;
    if (span < 0 || span > longest) span = longest;
    int limit_ready = 0;
    int events = limit_fd < 0
                     ? cbl_posix_poll(wait->fd, wait->events, span)
                     : cbl_posix_poll_two(wait->fd, wait->events, limit_fd, span, &limit_ready);
    if (limit_ready) return false;
    if (events > 0) {
      *ready = events;
      return true;
    }
    if (events < 0 && events != -EINTR) {
      *ready = events;
      return true;
    }
    if (is_hooked || (events < 0 && hooked_thread(L))) return false;
  }
}

/* --- waiters --- */

/* Keys of the registry. */
static const char default_waiter, socket_waiters;

/* Pushes the waiter of the socket at index 1; pushes nothing if it has none. */
static bool push_socket_waiter(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &socket_waiters) == LUA_TTABLE) {
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TFUNCTION) {
      lua_remove(L, -2);
      return true;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

bool cbl_lua_push_waiter(lua_State *L) {
  if (push_socket_waiter(L)) return true;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &default_waiter) == LUA_TFUNCTION) return true;
  lua_pop(L, 1);
  return false;
}

static void check_waiter(lua_State *L, int index) {
  if (!lua_isnoneornil(L, index)) luaL_checktype(L, index, LUA_TFUNCTION);
}

int cbl_lua_set_waiter(lua_State *L) {
  check_waiter(L, 1);
  lua_settop(L, 1);
  cbl_lua_tell_connector(L, lua_isfunction(L, 1));
  lua_rawsetp(L, LUA_REGISTRYINDEX, &default_waiter);
  return 0;
}

/* The waiters of sockets are in a table with weak keys: few sockets have one. */
int cbl_lua_set_socket_waiter(lua_State *L) {
  if (!cbl_lua_handle_at(L, 1, &cbl_lua_types[CBL_LUA_TYPE_SOCKET])) luaL_typeerror(L, 1, "socket");
  check_waiter(L, 2);
  lua_settop(L, 2);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &socket_waiters) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &socket_waiters);
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_rawset(L, 3);
  lua_settop(L, 1);
  return 1;
}

int cbl_lua_socket_waiter(lua_State *L) {
  luaL_checkany(L, 1);
  if (!push_socket_waiter(L)) lua_pushnil(L);
  return 1;
}
