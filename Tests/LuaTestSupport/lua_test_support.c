#define _GNU_SOURCE
#include "lua_test_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cbl_lua_files.h"
#include "cbl_lua_headers.h"

int luaopen_connectbylist_core(lua_State *L);

/* --- failing allocations --- */

struct meter {
  size_t live;
  bool is_armed;
  long requests, first, last;
};

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
  struct meter *meter = context;
  if (!block) old_size = 0; /* Lua passes the type of the new object in it */
  if (new_size == 0) {
    meter->live -= old_size;
    free(block);
    return NULL;
  }
  /* Making a block smaller must not fail: Lua relies on it. */
  if (meter->is_armed && new_size > old_size) {
    meter->requests++;
    if (meter->requests >= meter->first && meter->requests <= meter->last) return NULL;
  }
  void *moved = realloc(block, new_size);
  if (moved) meter->live += new_size - old_size;
  return moved;
}

/* --- the state --- */

/* Makes `require` find the module. Its two modules in Lua are compiled here: in a section, few of the
 * allocations that fail are the Lua compiler's. */
static void preload(lua_State *L) {
  size_t count;
  const struct cbl_lua_file *files = cbl_lua_modules(&count);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_connectbylist_core);
  lua_setfield(L, -2, "connectbylist.core");
  for (size_t i = 0; i < count; i++) {
    const char *text = (const char *)files[i].text;
    if (luaL_loadbufferx(L, text, files[i].size, files[i].chunk_name, "t") != LUA_OK) lua_error(L);
    lua_setfield(L, -2, files[i].name);
  }
  lua_pop(L, 1);
}

/* Lua 5.4.4 registers the metatable of its long buffers before it is filled: an allocation that fails in
 * between breaks every long buffer of the state ("got a non-closable value"). So the first one is made
 * here, where no allocation fails. */
static void make_first_long_buffer(lua_State *L) {
  luaL_Buffer buffer;
  luaL_buffinitsize(L, &buffer, 4 * LUAL_BUFFERSIZE);
  luaL_pushresultsize(&buffer, 0);
  lua_pop(L, 1);
}

/* Pushes a section of the script; nil if there is none. */
static void push_section(lua_State *L, const char *text, int section) {
  luaL_openlibs(L);
  make_first_long_buffer(L);
  preload(L);
  if (luaL_loadbufferx(L, text, strlen(text), "=every_name", "t") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  lua_rawgeti(L, -1, section);
  lua_remove(L, -2);
}

/* Arguments: the text, the section's number. Returns `run` and the result of `setup`. */
static int prepare(lua_State *L) {
  push_section(L, lua_touserdata(L, 1), (int)lua_tointeger(L, 2));
  lua_getfield(L, -1, "run");
  if (lua_getfield(L, -2, "setup") != LUA_TNIL) lua_call(L, 0, 1);
  return 2;
}

static void note_error(lua_State *L, struct cbl_test_outcome *outcome, const char *when) {
  const char *message = lua_tostring(L, -1);
  outcome->ending = CBL_TEST_BROKEN;
  snprintf(outcome->message, sizeof outcome->message, "%s: %s", when,
           message ? message : luaL_typename(L, -1));
  lua_pop(L, 1);
}

/* Calls the function at index 1 with the value at 2. */
static int run(lua_State *L) {
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  return lua_pcall(L, 1, 0, 0);
}

/* The global `loose` is a descriptor that no object of the script owns. */
static void close_loose(lua_State *L) {
  if (lua_getglobal(L, "loose") == LUA_TNUMBER) close((int)lua_tointeger(L, -1));
  lua_pop(L, 1);
  lua_pushnil(L);
  lua_setglobal(L, "loose");
}

/* Lua's messages when memory runs out. Those of luaL_checkstack and table.unpack mean that the stack could
 * not grow. */
static bool is_out_of_memory(const char *message) {
  if (!message) return false;
  return strcmp(message, "not enough memory") == 0 || strstr(message, "stack overflow") ||
         strstr(message, "too many results to unpack");
}

static void run_prepared(lua_State *L, struct meter *meter, struct cbl_test_outcome *outcome) {
  lua_gc(L, LUA_GCCOLLECT);
  meter->is_armed = true;
  int status = run(L);
  meter->is_armed = false;
  outcome->request_count = meter->requests;
  if (status == LUA_OK) {
    outcome->ending = CBL_TEST_DONE;
  } else if (is_out_of_memory(lua_tostring(L, -1))) {
    outcome->ending = CBL_TEST_OUT_OF_MEMORY;
    lua_pop(L, 1);
  } else {
    note_error(L, outcome, "short of memory");
  }
  close_loose(L);
  if (run(L) != LUA_OK) note_error(L, outcome, "with memory again");
  close_loose(L);
}

void cbl_test_run(const char *text, int section, long first, long last,
                  struct cbl_test_outcome *outcome) {
  memset(outcome, 0, sizeof *outcome);
  struct meter meter = {.first = first, .last = last};
  lua_State *L = lua_newstate(allocate, &meter);
  lua_pushcfunction(L, prepare);
  lua_pushlightuserdata(L, (void *)(uintptr_t)text);
  lua_pushinteger(L, section);
  if (lua_pcall(L, 2, 2, 0) != LUA_OK) {
    note_error(L, outcome, "setup");
  } else {
    run_prepared(L, &meter, outcome);
  }
  lua_close(L);
  outcome->live_bytes = meter.live;
}

static int read_name(lua_State *L) {
  push_section(L, lua_touserdata(L, 1), (int)lua_tointeger(L, 2));
  if (lua_isnil(L, -1)) return 1;
  lua_getfield(L, -1, "name");
  return 1;
}

bool cbl_test_section_name(const char *text, int section, char name[64]) {
  lua_State *L = luaL_newstate();
  lua_pushcfunction(L, read_name);
  lua_pushlightuserdata(L, (void *)(uintptr_t)text);
  lua_pushinteger(L, section);
  /* A script that does not load counts as a section, whose run then reports the error. */
  bool is_there = lua_pcall(L, 2, 1, 0) != LUA_OK || !lua_isnil(L, -1);
  if (is_there) snprintf(name, 64, "%s", lua_tostring(L, -1));
  lua_close(L);
  return is_there;
}

/* --- a thread's own descriptors --- */

struct own_descriptors {
  void (*body)(void *);
  void *context;
  int error;
};

static void *run_body(void *argument) {
  struct own_descriptors *own = argument;
  /* Unshares and closes in one step: a copy of the descriptors of other tests, even a short-lived one,
   * would keep their connections open. Since Linux 5.9. */
  if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_UNSHARE) < 0) {
    own->error = errno;
  } else {
    own->body(own->context);
  }
  return NULL;
}

int cbl_test_with_own_descriptors(void (*body)(void *), void *context) {
  struct own_descriptors own = {body, context, 0};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, run_body, &own);
  if (error) return error;
  pthread_join(thread, NULL);
  return own.error;
}

int cbl_test_descriptor_count(void) {
  DIR *folder = opendir("/proc/thread-self/fd");
  if (!folder) return -1;
  int count = -1; /* without the descriptor of the folder itself */
  while (readdir(folder)) count++;
  closedir(folder);
  return count - 2; /* `.` and `..` */
}

/* --- programs --- */

static int wait_for(pid_t process, int seconds_max) {
  const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
  int status;
  for (long turn = 0; waitpid(process, &status, WNOHANG) == 0; turn++) {
    if (turn == seconds_max * 50L) kill(process, SIGKILL);
    nanosleep(&pause, NULL);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int cbl_test_run_program(char *const arguments[], const char *folder, const char *output,
                         int seconds_max) {
  extern char **environ;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addchdir_np(&actions, folder);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t process;
  int error = posix_spawn(&process, arguments[0], &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error ? -1000 - error : wait_for(process, seconds_max);
}
