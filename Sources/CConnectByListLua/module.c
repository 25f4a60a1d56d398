/* The module `connectbylist.core`: metatables, tables of functions, embedded files, and luaopen. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "binding.h"
#include "cbl_lua_files.h"
#include "cbl_terminal.h"
#include "cbl_version.h"
#include "state.h"

/* With the fields that lua/ adds; an address list has the most: __name, __gc, __len, __index, __tostring. */
enum { METATABLE_FIELDS_MAX = 5 };

/* A type's metatable is in the registry; its key is the address of the type. */
void cbl_lua_push_metatable(lua_State *L, enum cbl_lua_type_index type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &cbl_lua_types[type]);
}

/* Its key in the registry is the address of this. */
static const char address_type;

void cbl_lua_push_address_metatable(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &address_type);
}

/* Pushes the metatable of addresses, to which lua/ adds all fields, and makes it first if there is none. */
static void push_address_type(lua_State *L) {
  cbl_lua_push_address_metatable(L);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, METATABLE_FIELDS_MAX);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &address_type);
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
  push_table_for(L, cbl_lua_methods, index, 3); /* `read`, `lines` and `setwait` */
  for (const struct cbl_lua_method *method = cbl_lua_methods; method->name; method++) {
    if (method->self != index) continue;
    push_function(L, method);
    lua_setfield(L, -2, method->key ? method->key : method->name);
  }
  if (index != CBL_LUA_TYPE_SOCKET) return;
  lua_pushcfunction(L, cbl_lua_set_socket_waiter);
  lua_setfield(L, -2, "setwait");
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

/* core.terminal([file]): the columns of the terminal that the file is (nil: it is none), whether the user's
 * locale is UTF-8's, and whether the file may get colours. Without a file: of standard output, else of
 * standard error, and no colours. */
static int terminal(lua_State *L) {
  int fd = -1;
  bool is_given = !lua_isnoneornil(L, 1);
  if (is_given) {
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    luaL_argcheck(L, stream->closef != NULL, 1, "attempt to use a closed file");
    fd = fileno(stream->f);
  } else {
    fd = cbl_terminal_is_terminal(STDOUT_FILENO) ? STDOUT_FILENO : STDERR_FILENO;
  }
  if (cbl_terminal_is_terminal(fd)) {
    lua_pushinteger(L, cbl_terminal_columns(fd));
  } else {
    lua_pushnil(L);
  }
  lua_pushboolean(L, cbl_terminal_is_utf8());
  lua_pushboolean(L, is_given && cbl_terminal_uses_color(fd));
  return 3;
}

/* The functions; `types`, the metatables by type; `address_type`, that of addresses; `methods`, `connector`, `load`,
 * `environment`, `terminal`, `setwait`, `socket_waiter`, `only_loopback` and `version`. lua/connectbylist.lua builds
 * the public API on these. */
__attribute__((visibility("default"))) int luaopen_connectbylist_core(lua_State *L);

int luaopen_connectbylist_core(lua_State *L) {
  luaL_checkversion(L);
  push_table_for(L, cbl_lua_functions, CBL_LUA_TYPE_NONE, 14); /* what is set below, and by lua/ */
  /* All types before the functions, which hold the metatables of what they make. */
  lua_createtable(L, 0, CBL_LUA_TYPE_COUNT);
  for (int index = CBL_LUA_TYPE_NONE + 1; index < CBL_LUA_TYPE_COUNT; index++) {
    push_type(L, (enum cbl_lua_type_index)index);
    lua_setfield(L, -2, cbl_lua_types[index].name);
  }
  lua_setfield(L, -2, "types");
  push_address_type(L);
  lua_setfield(L, -2, "address_type");
  lua_pushcfunction(L, cbl_lua_set_waiter);
  lua_setfield(L, -2, "setwait");
  lua_pushcfunction(L, cbl_lua_socket_waiter);
  lua_setfield(L, -2, "socket_waiter");
  lua_pushcfunction(L, new_methods);
  lua_setfield(L, -2, "methods");
  lua_pushcfunction(L, cbl_lua_new_connector);
  lua_setfield(L, -2, "connector");
  push_function(L, &cbl_lua_connect_method);
  lua_setfield(L, -2, cbl_lua_connect_method.name);
  lua_pushcfunction(L, load_file);
  lua_setfield(L, -2, "load");
  cbl_lua_push_environment(L);
  lua_setfield(L, -2, "environment");
  lua_pushcfunction(L, cbl_lua_only_loopback);
  lua_setfield(L, -2, "only_loopback");
  lua_pushcfunction(L, terminal);
  lua_setfield(L, -2, "terminal");
  lua_pushliteral(L, CBL_VERSION);
  lua_setfield(L, -2, "version");
  for (const struct cbl_lua_method *method = cbl_lua_functions; method->name; method++) {
    push_function(L, method);
    lua_setfield(L, -2, method->key ? method->key : method->name);
  }
  return 1;
}
