/* Time limits and cancellation: calls that end in Lua code, in any coroutine, and in the waits of this
 * module. */
#define _GNU_SOURCE /* clock_gettime */
#include <poll.h>
#include <time.h>

#include "cbl_lua_host.h"
#include "connectbylist_lua.h"
#include "state.h"

/* How many Lua instructions run between two checks: about 0.1 ms. */
enum { CHECK_INTERVAL = 10000 };

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool is_readable(int fd) {
  struct pollfd item = {.fd = fd, .events = POLLIN};
  /* A descriptor that is not open or has failed counts as well: nothing could ever cancel the call. */
  return fd >= 0 && poll(&item, 1, 0) > 0;
}

/* Why the innermost call has to end; NULL if it may go on. Stays as it is once there is a reason. */
static const char *reason_to_end(lua_State *L) {
  struct cbl_lua_state *state = cbl_lua_state_of(L);
  struct cbl_lua_limit *limit = state ? state->limit : NULL;
  if (!limit) return NULL;
  if (!limit->over && is_readable(limit->cancel_fd)) limit->over = CONNECTBYLIST_CANCELLED_MESSAGE;
  if (!limit->over && now_ns() >= limit->deadline_ns) limit->over = CONNECTBYLIST_TIME_LIMIT_MESSAGE;
  return limit->over;
}

/* The count hook. When the call has to end it raises before each further instruction: a script that catches
 * the error executes nothing more. Other coroutines do the same from their next check on. */
static void check(lua_State *L, lua_Debug *activation) {
  (void)activation;
  const char *reason = reason_to_end(L);
  int interval = reason ? 1 : CHECK_INTERVAL;
  if (lua_gethookcount(L) != interval) lua_sethook(L, check, LUA_MASKCOUNT, interval);
  if (reason) luaL_error(L, "%s", reason);
}

int64_t cbl_lua_wait_limit(lua_State *L, int *fd) {
  struct cbl_lua_state *state = cbl_lua_state_of(L);
  if (!state || !state->limit) {
    *fd = -1;
    return INT64_MAX;
  }
  *fd = state->limit->cancel_fd;
  return state->limit->deadline_ns;
}

void cbl_lua_check_limit(lua_State *L) {
  const char *reason = reason_to_end(L);
  if (!reason) return;
  lua_sethook(L, check, LUA_MASKCOUNT, 1);
  luaL_error(L, "%s", reason);
}

/* The message handler of a script, its upvalue, outside of limits. The error of a limit is raised in the
 * hook, so its message handlers run within the hook, where Lua calls no hook: such a handler would have no
 * limit. */
static int call_handler(lua_State *L) {
  if (reason_to_end(L)) return 1;
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int finish_xpcall(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L);
}

/* Upvalue: Lua's xpcall, which gets the handler above. */
static int guarded_xpcall(lua_State *L) {
  if (lua_isfunction(L, 2)) {
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, call_handler, 1);
    lua_replace(L, 2);
  }
  int count = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, count, LUA_MULTRET, 0, finish_xpcall);
  return finish_xpcall(L, LUA_OK, 0);
}

void connectbylist_enable_limits(lua_State *L) {
  lua_sethook(L, check, LUA_MASKCOUNT, CHECK_INTERVAL);
  luaL_checkstack(L, 3, NULL);
  lua_pushglobaltable(L);
  lua_pushliteral(L, "xpcall");
  if (lua_rawget(L, -2) == LUA_TFUNCTION && lua_tocfunction(L, -1) != guarded_xpcall) {
    lua_pushcclosure(L, guarded_xpcall, 1);
    lua_setfield(L, -2, "xpcall");
  } else {
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_DBLIBNAME) == LUA_TTABLE) {
    lua_pushnil(L);
    lua_setfield(L, -2, "sethook");
  }
  lua_pop(L, 2);
}

/* Which threads have the hook is not asked: the calling one gets it in any case. */
int connectbylist_pcall(lua_State *L, int argument_count, int result_count, int handler,
                        long long time_limit_ns, int cancel_fd) {
  struct cbl_lua_state *state = cbl_lua_state_of(L);
  struct cbl_lua_limit *outer = state ? state->limit : NULL;
  if (time_limit_ns < 0 && cancel_fd < 0 && !outer)
    return lua_pcall(L, argument_count, result_count, handler);
  if (!state) {
    /* The record is what is wanted: its policy is that of a state without one. */
    if (cbl_lua_set_policy(L, NULL) != 0) {
      lua_pop(L, argument_count + 1);
      lua_pushnil(L);
      return LUA_ERRMEM;
    }
    state = cbl_lua_state_of(L);
  }
  int64_t now = now_ns();
  struct cbl_lua_limit limit = {
      .deadline_ns = outer ? outer->deadline_ns : INT64_MAX,
      .cancel_fd = cancel_fd >= 0 ? cancel_fd : outer ? outer->cancel_fd : -1,
      .over = NULL,
      .outer = outer,
  };
  if (time_limit_ns >= 0 && time_limit_ns < limit.deadline_ns - now) {
    limit.deadline_ns = now + time_limit_ns;
  }
  int function = lua_gettop(L) - argument_count;
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  lua_sethook(L, check, LUA_MASKCOUNT, CHECK_INTERVAL);
  state->limit = &limit;
  int status = lua_pcall(L, argument_count, result_count, handler);
  state->limit = outer;
  if (hook == check) count = CHECK_INTERVAL;
  lua_sethook(L, hook, mask, count);
  if (!limit.over) return status;
  if (status == LUA_OK) {
    lua_settop(L, function - 1);
    lua_pushnil(L);
  }
  return limit.over[0] == CONNECTBYLIST_CANCELLED_MESSAGE[0] ? CONNECTBYLIST_CANCELLED
                                                             : CONNECTBYLIST_TIME_LIMIT;
}
