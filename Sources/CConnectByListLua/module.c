/* The module `connectbylist.core`: metatables, tables of functions, embedded files, and luaopen. */
#include <string.h>

#include "binding.h"
#include "cbl_lua_files.h"
#include "cbl_version.h"

/* With the fields that lua/ adds; an address list has the most: __name, __gc, __len, __index, __tostring. */
enum { METATABLE_FIELDS_MAX = 5 };

/* A type's metatable is in the registry; its key is the address of the type. */
void cbl_lua_push_metatable(lua_State *L, enum cbl_lua_type_index type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &cbl_lua_types[type]);
}

/* __gc */
static int release_handle(lua_State *L) {
  const struct cbl_lua_type *type = lua_touserdata(L, lua_upvalueindex(1));
  struct cbl_lua_handle *handle = cbl_lua_handle_at(L, 1, type);
  /* A script may call it with any value: then there is nothing to release. */
  if (handle) cbl_lua_release(handle);
  return 0;
}

static void push_function(lua_State *L, const struct cbl_lua_method *method) {
  enum cbl_lua_type_index made = cbl_lua_made_type(method);
  lua_pushlightuserdata(L, (void *)(uintptr_t)method);
  if (made) cbl_lua_push_metatable(L, made);
  lua_pushcclosure(L, cbl_lua_trampoline, made ? 2 : 1);
}

/* Pushes the metatable of a type, and makes it first if there is none. The registry gets it when it is
 * complete: an allocation that fails before must not leave part of one for the next `require`. */
static void push_type(lua_State *L, enum cbl_lua_type_index index) {
  const struct cbl_lua_type *type = &cbl_lua_types[index];
  cbl_lua_push_metatable(L, index);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, METATABLE_FIELDS_MAX);
  int metatable = lua_gettop(L);
  lua_pushstring(L, type->name);
  lua_setfield(L, metatable, "__name");
  lua_pushlightuserdata(L, (void *)(uintptr_t)type);
  lua_pushcclosure(L, release_handle, 1);
  lua_setfield(L, metatable, "__gc");
  for (const struct cbl_lua_method *method = cbl_lua_methods; method->name; method++) {
    if (method->self != index || strcmp(method->name, "close") != 0) continue;
    push_function(L, method);
    lua_setfield(L, metatable, "__close");
  }
  lua_pushvalue(L, metatable);
  lua_rawsetp(L, LUA_REGISTRYINDEX, type);
}

/* Pushes a table with room for the names of a type, and for `extra` others. A table that grew with each
 * name would take as long as the rest of luaopen. */
static void push_table_for(lua_State *L, const struct cbl_lua_method *rows,
                           enum cbl_lua_type_index self, int extra) {
  int count = extra;
  for (const struct cbl_lua_method *method = rows; method->name; method++) count += method->self == self;
  lua_createtable(L, 0, count);
}

static void push_methods(lua_State *L, enum cbl_lua_type_index index) {
  push_table_for(L, cbl_lua_methods, index, 2); /* `read` and `lines` */
  for (const struct cbl_lua_method *method = cbl_lua_methods; method->name; method++) {
    if (method->self != index) continue;
    push_function(L, method);
    lua_setfield(L, -2, method->name);
  }
  if (index != CBL_LUA_TYPE_SOCKET) return;
  push_function(L, &cbl_lua_read_method);
  lua_setfield(L, -2, "read");
  lua_pushcfunction(L, cbl_lua_lines);
  lua_setfield(L, -2, "lines");
}

/* core.methods(type): a new table of the type's methods, to which lua/ adds its own. */
static int new_methods(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  for (int index = CBL_LUA_TYPE_NONE + 1; index < CBL_LUA_TYPE_COUNT; index++) {
    if (strcmp(name, cbl_lua_types[index].name) != 0) continue;
    push_methods(L, (enum cbl_lua_type_index)index);
    return 1;
  }
  return luaL_argerror(L, 1, "no such type");
}

/* core.load(name, environment): the embedded file of this name as a function, compiled anew, whose
 * global variables are the fields of `environment`. Uses neither the file system nor `require`. */
static int load_file(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t count;
  const struct cbl_lua_file *files = cbl_lua_parts(&count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(name, files[i].name) != 0) continue;
    const char *text = (const char *)files[i].text;
    if (luaL_loadbufferx(L, text, files[i].size, files[i].chunk_name, "t") != LUA_OK) {
      return lua_error(L);
    }
    lua_pushvalue(L, 2);
    lua_setupvalue(L, -2, 1); /* _ENV: the only upvalue of a chunk */
    return 1;
  }
  return luaL_argerror(L, 1, "no such file");
}

/* The functions; `types`, the metatables by type; `methods`, `load` and `version`. lua/connectbylist.lua builds the
 * public API on these. */
__attribute__((visibility("default"))) int luaopen_connectbylist_core(lua_State *L);

int luaopen_connectbylist_core(lua_State *L) {
  luaL_checkversion(L);
  push_table_for(L, cbl_lua_functions, CBL_LUA_TYPE_NONE, 4); /* `types`, `methods`, `load`, `version` */
  /* All types before the functions, which hold the metatables of what they make. */
  lua_createtable(L, 0, CBL_LUA_TYPE_COUNT);
  for (int index = CBL_LUA_TYPE_NONE + 1; index < CBL_LUA_TYPE_COUNT; index++) {
    push_type(L, (enum cbl_lua_type_index)index);
    lua_setfield(L, -2, cbl_lua_types[index].name);
  }
  lua_setfield(L, -2, "types");
  lua_pushcfunction(L, new_methods);
  lua_setfield(L, -2, "methods");
  lua_pushcfunction(L, load_file);
  lua_setfield(L, -2, "load");
  lua_pushliteral(L, CBL_VERSION);
  lua_setfield(L, -2, "version");
  for (const struct cbl_lua_method *method = cbl_lua_functions; method->name; method++) {
    push_function(L, method);
    lua_setfield(L, -2, method->name);
  }
  return 1;
}
