/* Reports of the program's tools, in the form that scripts get: the module's Lua files make it. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cbl_host.h"
#include "cbl_lua.h"
#include "cbl_lua_headers.h"
#include "chunk.h"
#include "preload.h"

/* Pushes a handle that owns the report. Of the binding. */
void cbl_lua_push_report(lua_State *L, void *report);

struct report {
  void *object; /* NULL once a handle owns it */
  const char *format;
  int descriptor;
};

static void write_all(lua_State *L, int descriptor, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(descriptor, bytes, count);
    if (written >= 0) {
      bytes += written;
      count -= (size_t)written;
    } else if (errno != EINTR) {
      luaL_error(L, "cannot write the report: %s", strerror(errno));
    }
  }
}

static int write_protected(lua_State *L) {
  struct report *report = lua_touserdata(L, 1);
  luaL_openlibs(L);
  cbl_host_preload(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "connectbylist");
  lua_call(L, 1, 0);
  cbl_lua_push_report(L, report->object);
  report->object = NULL;
  lua_getfield(L, -1, report->format);
  lua_pushvalue(L, -2);
  /* report:text{file = io.stderr}, which the tools write to: its width and its colours. */
  bool is_text = strcmp(report->format, "text") == 0;
  if (is_text) {
    lua_createtable(L, 0, 1);
    lua_getglobal(L, LUA_IOLIBNAME);
    lua_getfield(L, -1, "stderr");
    lua_remove(L, -2);
    lua_setfield(L, -2, "file");
  }
  lua_call(L, is_text ? 2 : 1, 1);
  lua_pushliteral(L, "\n");
  lua_concat(L, 2);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  write_all(L, report->descriptor, text, size);
  return 0;
}

bool cbl_host_write_report(void *object, const char *format, int descriptor) {
  struct report report = {object, format, descriptor};
  bool is_written = false;
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    cbl_host_report_error("cannot create state: not enough memory");
  } else {
    lua_pushcfunction(L, write_protected);
    lua_pushlightuserdata(L, &report);
    is_written = cbl_host_report(L, CBL_HOST_NAME, lua_pcall(L, 1, 0, 0));
    lua_close(L);
  }
  if (report.object) cbl_lua_release_report(report.object);
  return is_written;
}
