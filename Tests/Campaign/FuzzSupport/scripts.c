/* Fuzzers in Lua. A script returns a function of the input; an error that it raises is a finding. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cbl_lua_headers.h"
#include "connectbylist_lua.h"
#include "fuzz_support.h"

/* --- what the scripts have beside Lua's libraries, the table `fuzz` --- */

/* Two ends of a stream, non-blocking. */
static int pair(lua_State *L) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return luaL_error(L, "socketpair: %s", strerror(errno));
  lua_pushinteger(L, ends[0]);
  lua_pushinteger(L, ends[1]);
  return 2;
}

static int send_bytes(lua_State *L) {
  size_t count;
  const char *bytes = luaL_checklstring(L, 2, &count);
  ssize_t sent = send((int)luaL_checkinteger(L, 1), bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  lua_pushinteger(L, sent < 0 ? 0 : sent);
  return 1;
}

/* What is there now, up to 64 KiB; "" at the end; nil for nothing. */
static int receive_bytes(lua_State *L) {
  char bytes[65536];
  ssize_t count = recv((int)luaL_checkinteger(L, 1), bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0) return 0;
  lua_pushlstring(L, bytes, (size_t)count);
  return 1;
}

static int end_stream(lua_State *L) {
  shutdown((int)luaL_checkinteger(L, 1), SHUT_WR);
  return 0;
}

static int close_end(lua_State *L) {
  close((int)luaL_checkinteger(L, 1));
  return 0;
}

static int close_file(lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

/* A file with these bytes, in memory. */
static int file(lua_State *L) {
  size_t count;
  const char *bytes = luaL_checklstring(L, 1, &count);
  luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 1);
  stream->closef = NULL;
  luaL_setmetatable(L, LUA_FILEHANDLE);
  /* fmemopen refuses a size of 0. */
  stream->f = count > 0 ? fmemopen((void *)(uintptr_t)bytes, count, "r") : fopen("/dev/null", "r");
  stream->closef = close_file;
  lua_pushvalue(L, 1); /* keeps the bytes */
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static int lowest_free(lua_State *L) {
  lua_pushinteger(L, cbl_fuzz_lowest_free());
  return 1;
}

static int set_answers(lua_State *L) {
  size_t count;
  const char *bytes = luaL_checklstring(L, 1, &count);
  lua_setfield(L, LUA_REGISTRYINDEX, "cbl_fuzz_answers");
  cbl_fuzz_set_answers((const uint8_t *)bytes, count);
  return 0;
}

/* --- the state --- */

static const luaL_Reg functions[] = {
    {"pair", pair},           {"send", send_bytes},         {"receive", receive_bytes}, {"finish", end_stream},
    {"close", close_end},     {"file", file},               {"answers", set_answers},   {"lowest_free", lowest_free},
    {NULL, NULL},
};

static lua_State *state;

static void start(const char *name) {
  char path[200];
  snprintf(path, sizeof path, "Tests/Campaign/fuzz.d/%s.lua", name);
  state = luaL_newstate();
  luaL_openlibs(state);
  connectbylist_preload(state);
  luaL_newlib(state, functions);
  lua_setglobal(state, "fuzz");
  if (luaL_dofile(state, path) != LUA_OK) {
    /* Not a finding: a library of Lua is missing, or the current directory is not the package's. */
    fprintf(stderr, "connectbylist-fuzz: %s\n", lua_tostring(state, -1));
    _exit(2);
  }
}

static int handle_error(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

void cbl_fuzz_script(const char *name, const uint8_t *bytes, size_t count) {
  /* What Lua has interned is not a leak, but hides the addresses of what is one. */
  static unsigned runs;
  if (count > 65536) return;
  if (!state) start(name);
  lua_pushcfunction(state, handle_error);
  lua_pushvalue(state, 1);
  lua_pushlstring(state, (const char *)bytes, count);
  if (lua_pcall(state, 1, 0, 2) != LUA_OK) cbl_fuzz_fail(lua_tostring(state, -1));
  lua_settop(state, 1);
  if (++runs % 1000 == 0) {
    lua_close(state);
    state = NULL;
  }
}
