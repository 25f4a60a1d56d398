/* Types, and luaopen. */
#include "border.h"

/* A type's metatable stands in the registry under the address of its row: two copies of this module in
 * one state, say the host's and a loaded one, cannot be taken for each other. */
void cbl_push_metatable(lua_State *L, enum cbl_type_index type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &cbl_types[type]);
}

/* __gc. The pointer goes first, so that whatever comes after finds a closed handle. */
static int release_handle(lua_State *L) {
  const struct cbl_type *type = lua_touserdata(L, lua_upvalueindex(1));
  struct cbl_handle *handle = lua_touserdata(L, 1);
  if (!handle || !lua_getmetatable(L, 1)) return 0;
  /* Called by hand on something else: nothing is released. */
  if (!lua_rawequal(L, -1, lua_upvalueindex(2))) return 0;
  void *object = handle->object;
  handle->object = NULL;
  if (object) type->release(object);
  return 0;
}

static void push_function(lua_State *L, const struct cbl_row *row) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)row);
  if (row->self) {
    cbl_push_metatable(L, row->self);
  } else {
    lua_pushnil(L);
  }
  lua_pushcclosure(L, cbl_trampoline, 2);
}

/* Makes the metatable of a type, with its methods in __index. */
static void make_type(lua_State *L, enum cbl_type_index index) {
  const struct cbl_type *type = &cbl_types[index];
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, type);
  lua_pushstring(L, type->name);
  lua_setfield(L, -2, "__name");
  lua_pushlightuserdata(L, (void *)(uintptr_t)type);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, release_handle, 2);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  for (const struct cbl_row *row = cbl_method_rows; row->name; row++) {
    if (row->self != index) continue;
    push_function(L, row);
    lua_setfield(L, -2, row->name);
  }
  if (index == CBL_TYPE_SOCKET) {
    push_function(L, &cbl_read_row);
    lua_setfield(L, -2, "read");
    lua_pushlightuserdata(L, (void *)(uintptr_t)&cbl_read_row);
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, cbl_lines, 2);
    lua_setfield(L, -2, "lines");
  }
  if (lua_getfield(L, -1, "close") != LUA_TNIL) {
    lua_setfield(L, -3, "__close");
  } else {
    lua_pop(L, 1);
  }
  lua_setfield(L, -2, "__index");
}

/* connectbylist.core: the functions, and in `types` the metatables, which lua/connectbylist.lua builds
 * the public face on. */
__attribute__((visibility("default"))) int luaopen_connectbylist_core(lua_State *L);

int luaopen_connectbylist_core(lua_State *L) {
  luaL_checkversion(L);
  lua_newtable(L);
  lua_newtable(L);
  for (int index = CBL_TYPE_NONE + 1; index < CBL_TYPE_COUNT; index++) {
    cbl_push_metatable(L, (enum cbl_type_index)index);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      make_type(L, (enum cbl_type_index)index);
    }
    lua_setfield(L, -2, cbl_types[index].name);
  }
  lua_setfield(L, -2, "types");
  for (const struct cbl_row *row = cbl_module_rows; row->name; row++) {
    push_function(L, row);
    lua_setfield(L, -2, row->name);
  }
  return 1;
}
