/* Measures what a Lua script cannot: elapsed time, and the bytes of the heap that are in use. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <time.h>

#include "cbl_lua_headers.h"

/* Blocks in malloc's per-thread cache count as in use: a few hundred bytes. */
static lua_Integer heap_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return (lua_Integer)(info.uordblks + info.hblkhd);
}

/* now(): seconds of CLOCK_MONOTONIC. */
static int now(lua_State *L) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  lua_pushnumber(L, (lua_Number)time.tv_sec + (lua_Number)time.tv_nsec / 1e9);
  return 1;
}

/* heap(): bytes in use. */
static int heap(lua_State *L) {
  lua_pushinteger(L, heap_bytes());
  return 1;
}

static struct timespec delay;
static lua_Integer seen_bytes;
static pthread_t watcher;

static void *watch(void *unused) {
  nanosleep(&delay, NULL);
  seen_bytes = heap_bytes();
  return unused;
}

/* heap_in(seconds): measures the heap after that time, on another thread, since this one may block. */
static int heap_in(lua_State *L) {
  delay.tv_sec = 0;
  delay.tv_nsec = (long)(luaL_checknumber(L, 1) * 1e9);
  if (pthread_create(&watcher, NULL, watch, NULL) != 0) return luaL_error(L, "no thread");
  return 0;
}

/* heap_then(): the bytes that heap_in measured; waits until it has. */
static int heap_then(lua_State *L) {
  pthread_join(watcher, NULL);
  lua_pushinteger(L, seen_bytes);
  return 1;
}

static const luaL_Reg functions[] = {
    {"now", now}, {"heap", heap}, {"heap_in", heap_in}, {"heap_then", heap_then}, {NULL, NULL},
};

int luaopen_meter(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
