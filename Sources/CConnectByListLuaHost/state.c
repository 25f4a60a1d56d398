/* Lua states for programs that embed Lua. */

#include <string.h>

#include "cbl_host_state.h"
#include "cbl_lua.h"
#include "cbl_lua_headers.h"
#include "cbl_lua_host.h"
#include "connectbylist_lua.h"
#include "preload.h"
#include "sandbox.h"
#include "values.h"

/* ---- Making ---- */

struct making {
  unsigned libraries;
  bool has_limits;
};

static const struct {
  unsigned bit;
  const char *name;
  lua_CFunction open;
} libraries[] = {
    {CBL_HOST_LIBRARY_BASE, LUA_GNAME, luaopen_base},
    {CBL_HOST_LIBRARY_PACKAGE, LUA_LOADLIBNAME, luaopen_package},
    {CBL_HOST_LIBRARY_COROUTINE, LUA_COLIBNAME, luaopen_coroutine},
    {CBL_HOST_LIBRARY_TABLE, LUA_TABLIBNAME, luaopen_table},
    {CBL_HOST_LIBRARY_IO, LUA_IOLIBNAME, luaopen_io},
    {CBL_HOST_LIBRARY_OS, LUA_OSLIBNAME, luaopen_os},
    {CBL_HOST_LIBRARY_STRING, LUA_STRLIBNAME, luaopen_string},
    {CBL_HOST_LIBRARY_MATH, LUA_MATHLIBNAME, luaopen_math},
    {CBL_HOST_LIBRARY_UTF8, LUA_UTF8LIBNAME, luaopen_utf8},
    {CBL_HOST_LIBRARY_DEBUG, LUA_DBLIBNAME, luaopen_debug},
};

static int make_protected(lua_State *L) {
  const struct making *making = lua_touserdata(L, 1);
  for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
    if (!(making->libraries & libraries[i].bit)) continue;
    luaL_requiref(L, libraries[i].name, libraries[i].open, 1);
    lua_pop(L, 1);
  }
  if (making->has_limits) connectbylist_enable_limits(L);
  cbl_host_preload(L);
  if (making->libraries & CBL_HOST_LIBRARY_SANDBOX) {
    luaL_requiref(L, "connectbylist", connectbylist_open, 1);
    /* It would take over any descriptor of the process. */
    lua_pushnil(L);
    lua_setfield(L, -2, "wrap");
    lua_pop(L, 1);
    cbl_host_restrict(L);
  }
  return 0;
}

void *cbl_host_state_new(unsigned wanted, bool has_limits, size_t memory_max, void *policy) {
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    if (policy) cbl_lua_release_policy(policy);
    return NULL;
  }
  struct making making = {wanted, has_limits};
  bool is_made = cbl_host_state_set_policy(L, policy);
  if (is_made) {
    lua_pushcfunction(L, make_protected);
    lua_pushlightuserdata(L, &making);
    is_made = connectbylist_set_memory_limit(L, memory_max) == 0 && lua_pcall(L, 1, 0, 0) == LUA_OK;
  }
  if (is_made) return L;
  lua_close(L);
  return NULL;
}

bool cbl_host_state_set_policy(void *state, void *policy) {
  return cbl_lua_set_policy(state, policy) == 0;
}

void cbl_host_state_close(void *state) { lua_close(state); }

/* ---- Running ---- */

/* The message handler: replaces an error value by an array of the value, its text and the traceback. */
static int describe(lua_State *L) {
  lua_createtable(L, 3, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, 1);
  /* The error of a limit comes from a hook, and Lua calls no hook within a hook: a `__tostring` that the
   * script gave to strings must not run. */
  if (lua_type(L, 1) == LUA_TSTRING) {
    lua_pushvalue(L, 1);
  } else {
    luaL_tolstring(L, 1, NULL);
  }
  lua_rawseti(L, 2, 2);
  luaL_traceback(L, L, NULL, 1);
  lua_rawseti(L, 2, 3);
  lua_settop(L, 2);
  return 1;
}

/* Pushes the value of a global, through tables: "a.b.c". Metamethods are not called. */
static void push_global(lua_State *L, const char *path) {
  lua_pushglobaltable(L);
  while (true) {
    const char *end = strchr(path, '.');
    size_t count = end ? (size_t)(end - path) : strlen(path);
    if (!lua_istable(L, -1)) luaL_error(L, "global '%s' is not in a table", path);
    lua_pushlstring(L, path, count);
    lua_rawget(L, -2);
    lua_replace(L, -2);
    if (!end) return;
    path = end + 1;
  }
}

/* Pushes the function to call; raises for text that cannot be compiled. */
static void push_function(lua_State *L, const struct cbl_host_request *request) {
  int status = LUA_OK;
  switch (request->action) {
    case CBL_HOST_RUN_TEXT:
      status = luaL_loadbufferx(L, request->text, request->text_count, request->name, "t");
      break;
    case CBL_HOST_RUN_FILE: status = luaL_loadfilex(L, request->name, "t"); break;
    default: push_global(L, request->name); break;
  }
  if (status != LUA_OK) lua_error(L);
}

static void set_global(lua_State *L, const struct cbl_host_request *request) {
  lua_pushglobaltable(L);
  lua_pushstring(L, request->name);
  if (cbl_host_push_arguments(L, request) != 1) luaL_error(L, "a global has one value");
  lua_rawset(L, -3);
}

struct run {
  struct cbl_host_request *request;
  enum cbl_host_status status;
};

static enum cbl_host_status status_of(int status) {
  switch (status) {
    case LUA_OK: return CBL_HOST_OK;
    case LUA_ERRMEM: return CBL_HOST_NO_MEMORY;
    case CONNECTBYLIST_TIME_LIMIT: return CBL_HOST_TIME_LIMIT;
    case CONNECTBYLIST_CANCELLED: return CBL_HOST_CANCELLED;
    default: return CBL_HOST_FAILED;
  }
}

/* Adds the error value at the top of the stack, its text and the traceback. */
static void add_error(lua_State *L, struct cbl_host_request *request) {
  int error = lua_gettop(L);
  bool is_described = lua_istable(L, error);
  luaL_checkstack(L, 3, NULL);
  for (int i = 1; i <= 3; i++) {
    if (is_described) {
      lua_rawgeti(L, error, i);
    } else {
      /* The handler has failed, or the script had caught the error of its limit. */
      if (i == 3) lua_pushnil(L);
      else lua_pushvalue(L, error);
    }
  }
  cbl_host_add_values(L, request, error + 1);
}

static int run_protected(lua_State *L) {
  struct run *run = lua_touserdata(L, 1);
  struct cbl_host_request *request = run->request;
  lua_settop(L, 0);
  if (request->action == CBL_HOST_SET_GLOBAL) {
    set_global(L, request);
    return 0;
  }
  if (request->action == CBL_HOST_GET_GLOBAL) {
    push_global(L, request->name);
    cbl_host_add_values(L, request, 1);
    return 0;
  }
  lua_pushcfunction(L, describe);
  push_function(L, request);
  int count = cbl_host_push_arguments(L, request);
  int status = connectbylist_pcall(L, count, LUA_MULTRET, 1, request->time_limit_ns, request->cancel_fd);
  run->status = status_of(status);
  if (status == LUA_OK) {
    cbl_host_add_values(L, request, 2);
  } else {
    add_error(L, request);
  }
  return 0;
}

/* Arguments: an error value, the run. */
static int add_error_protected(lua_State *L) {
  struct run *run = lua_touserdata(L, 2);
  lua_settop(L, 1);
  add_error(L, run->request);
  return 0;
}

enum cbl_host_status cbl_host_state_run(void *state, struct cbl_host_request *request) {
  lua_State *L = state;
  struct run run = {request, CBL_HOST_OK};
  if (!lua_checkstack(L, 4)) return CBL_HOST_NO_MEMORY;
  lua_pushcfunction(L, describe);
  lua_pushcfunction(L, run_protected);
  lua_pushlightuserdata(L, &run);
  int status = lua_pcall(L, 1, 0, 1);
  if (status != LUA_OK) {
    /* Of what was not limited: a text that cannot be compiled, a value that cannot be copied. */
    if (run.status == CBL_HOST_OK) run.status = status_of(status);
    request->records.count = request->texts.count = 0;
    lua_pushcfunction(L, add_error_protected);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &run);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) request->records.count = request->texts.count = 0;
  }
  lua_settop(L, 0);
  /* Closes the sockets that the script had in local variables. */
  if (run.status == CBL_HOST_TIME_LIMIT || run.status == CBL_HOST_CANCELLED) lua_gc(L, LUA_GCCOLLECT);
  cbl_host_seal_values(request);
  return run.status;
}
