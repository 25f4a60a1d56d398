/* What a program that embeds the module calls: `require` finds the core and the Lua files in the program. */
#include <string.h>

#include "cbl_lua_files.h"
#include "cbl_lua_headers.h"
#include "connectbylist_lua.h"

static void push_opener(lua_State *L, const struct cbl_lua_file *file);

static const struct cbl_lua_file *module_named(const char *name) {
  size_t count;
  const struct cbl_lua_file *files = cbl_lua_modules(&count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(files[i].name, name) == 0) return &files[i];
  }
  return NULL;
}

/* `require` for the embedded files, where scripts have none: finds what is preloaded and what is embedded. */
static int require_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, 2, name) != LUA_TNIL) return 1;
  const struct cbl_lua_file *file = module_named(name);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  if (lua_getfield(L, -1, name) == LUA_TFUNCTION) {
    /* Preloaded: the opener is on the stack. */
  } else if (file) {
    push_opener(L, file);
  } else if (strcmp(name, "connectbylist.core") == 0) {
    lua_pushcfunction(L, luaopen_connectbylist_core);
  } else {
    return luaL_error(L, "module '%s' not found", name);
  }
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, name);
  return 1;
}

/* `require` calls this for an embedded file, with the module's name and ":preload:". Runs the file with the
 * same arguments and returns its result. Only here is the file compiled: a script pays for the files that it
 * requires. */
static int open_file(lua_State *L) {
  const struct cbl_lua_file *file = lua_touserdata(L, lua_upvalueindex(1));
  const char *text = (const char *)file->text;
  if (luaL_loadbufferx(L, text, file->size, file->chunk_name, "t") != LUA_OK) return lua_error(L);
  lua_pushglobaltable(L);
  lua_pushliteral(L, "require");
  lua_rawget(L, -2); /* what a metatable of the global variables says does not count */
  lua_replace(L, -2);
  if (lua_isnil(L, -1)) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, require_embedded);
    lua_setfield(L, -2, "require");
    lua_setupvalue(L, -3, 1); /* _ENV: the only upvalue of a chunk */
  }
  lua_pop(L, 1);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static void push_opener(lua_State *L, const struct cbl_lua_file *file) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)file);
  lua_pushcclosure(L, open_file, 1);
}

int connectbylist_open(lua_State *L) {
  lua_settop(L, 0);
  lua_pushcfunction(L, require_embedded);
  lua_pushliteral(L, "connectbylist");
  lua_call(L, 1, 1);
  return 1;
}

/* Entries of `package.preload` are searched first: an installed copy of the Lua files is never combined with
 * this core. A script can replace an entry to use another copy. */
void connectbylist_preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_connectbylist_core);
  lua_setfield(L, -2, "connectbylist.core");
  size_t count;
  const struct cbl_lua_file *files = cbl_lua_modules(&count);
  for (size_t i = 0; i < count; i++) {
    push_opener(L, &files[i]);
    lua_setfield(L, -2, files[i].name);
  }
  lua_pop(L, 1);
}
