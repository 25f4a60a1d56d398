/* Types, and luaopen. */
#include <string.h>

#include "binding.h"

/* A type's metatable stands in the registry under the address of its method. */
void cbl_lua_push_metatable(lua_State *L, enum cbl_lua_type_index type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &cbl_lua_types[type]);
}

/* __gc. The pointer goes first, so that whatever comes after finds a closed handle. */
static int release_handle(lua_State *L) {
  const struct cbl_lua_type *type = lua_touserdata(L, lua_upvalueindex(1));
  struct cbl_lua_handle *handle = cbl_lua_handle_at(L, 1, type);
  /* Called by hand on something else: nothing is released. */
  if (handle) cbl_lua_release(handle);
  return 0;
}

static void push_function(lua_State *L, const struct cbl_lua_method *method) {
  enum cbl_lua_type_index made = cbl_lua_made_type(method);
  lua_pushlightuserdata(L, (void *)(uintptr_t)method);
  if (made) cbl_lua_push_metatable(L, made);
  lua_pushcclosure(L, cbl_lua_trampoline, made ? 2 : 1);
}

/* Pushes the metatable of a type. It goes into the registry when it is complete: an allocation that
 * fails on the way must not leave half of one there for the next `require`. */
static void push_type(lua_State *L, enum cbl_lua_type_index index) {
  const struct cbl_lua_type *type = &cbl_lua_types[index];
  cbl_lua_push_metatable(L, index);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  /* With the face's fields; a list has the most. */
  lua_createtable(L, 0, 6);
  int metatable = lua_gettop(L);
  lua_pushstring(L, type->name);
  lua_setfield(L, metatable, "__name");
  lua_pushlightuserdata(L, (void *)(uintptr_t)type);
  lua_pushcclosure(L, release_handle, 1);
  lua_setfield(L, metatable, "__gc");
  for (const struct cbl_lua_method *method = cbl_lua_methods; method->name[0]; method++) {
    if (method->self != index || strcmp(method->name, "close") != 0) continue;
    push_function(L, method);
    lua_setfield(L, metatable, "__close");
  }
  lua_pushvalue(L, metatable);
  lua_rawsetp(L, LUA_REGISTRYINDEX, type);
}

/* A table with room for the rows of a type's methods, `read` and `lines` among them. To grow with each
 * name would cost as much as all the rest of opening the module. */
static void push_table_for(lua_State *L, const struct cbl_lua_method *rows, enum cbl_lua_type_index self) {
  int count = 2;
  for (const struct cbl_lua_method *method = rows; method->name[0]; method++) count += method->self == self;
  lua_createtable(L, 0, count);
}

static void push_methods(lua_State *L, enum cbl_lua_type_index index) {
  push_table_for(L, cbl_lua_methods, index);
  for (const struct cbl_lua_method *method = cbl_lua_methods; method->name[0]; method++) {
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

/* core.methods(type): a new table of its methods, for the caller to build on. */
static int new_methods(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  for (int index = CBL_LUA_TYPE_NONE + 1; index < CBL_LUA_TYPE_COUNT; index++) {
    if (strcmp(name, cbl_lua_types[index].name) != 0) continue;
    push_methods(L, (enum cbl_lua_type_index)index);
    return 1;
  }
  return luaL_argerror(L, 1, "no such type");
}

/* connectbylist.core: the functions; in `types` the metatables; `methods` gives what
 * lua/connectbylist.lua builds their public face on. */
__attribute__((visibility("default"))) int luaopen_connectbylist_core(lua_State *L);

int luaopen_connectbylist_core(lua_State *L) {
  luaL_checkversion(L);
  push_table_for(L, cbl_lua_functions, CBL_LUA_TYPE_NONE);
  /* All types first: a method of one may make another. */
  lua_createtable(L, 0, CBL_LUA_TYPE_COUNT);
  for (int index = CBL_LUA_TYPE_NONE + 1; index < CBL_LUA_TYPE_COUNT; index++) {
    push_type(L, (enum cbl_lua_type_index)index);
    lua_setfield(L, -2, cbl_lua_types[index].name);
  }
  lua_setfield(L, -2, "types");
  lua_pushcfunction(L, new_methods);
  lua_setfield(L, -2, "methods");
  for (const struct cbl_lua_method *method = cbl_lua_functions; method->name[0]; method++) {
    push_function(L, method);
    lua_setfield(L, -2, method->name);
  }
  return 1;
}
