/*
 * The modules that are part of the program: `require "connectbylist"` works from any folder and with no
 * path set.
 */

#include "preload.h"

#include <stdint.h>

#include "cbl_lua_files.h"

/* Opens the module `connectbylist.core`: CConnectByListLua and ConnectByListLua. */
int luaopen_connectbylist_core(lua_State *L);
/* `connectbylist.simulation_core`: CConnectByListLuaSimulation and ConnectByListLuaSimulation. */
int luaopen_connectbylist_simulation_core(lua_State *L);

/*
 * `require` calls this for an embedded file, with the module's name and ":preload:". Runs the file with
 * the same arguments and returns its result. Only here is the file compiled: a script pays for the files
 * that it requires.
 */
static int open_file(lua_State *L) {
  const struct cbl_lua_file *file = lua_touserdata(L, lua_upvalueindex(1));
  const char *text = (const char *)file->text;
  if (luaL_loadbufferx(L, text, file->size, file->chunk_name, "t") != LUA_OK) return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

void cbl_host_preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_connectbylist_core);
  lua_setfield(L, -2, "connectbylist.core");
  lua_pushcfunction(L, luaopen_connectbylist_simulation_core);
  lua_setfield(L, -2, "connectbylist.simulation_core");
  size_t count;
  const struct cbl_lua_file *files = cbl_lua_modules(&count);
  for (size_t i = 0; i < count; i++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&files[i]);
    lua_pushcclosure(L, open_file, 1);
    lua_setfield(L, -2, files[i].name);
  }
  lua_pop(L, 1);
}
