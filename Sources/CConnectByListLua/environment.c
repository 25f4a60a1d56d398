/* The standard functions that the Lua files use. */
#include "binding.h"

/* Weak: an interpreter that was linked without one of its libraries can load the module too. */
#pragma weak luaopen_base
#pragma weak luaopen_math
#pragma weak luaopen_string
#pragma weak luaopen_table
#pragma weak luaopen_utf8

/* Calls the opener of a standard library with an empty table of global variables: luaopen_base fills it. */
static int call_opener(lua_State *L) {
  lua_CFunction open = lua_tocfunction(L, 1);
  lua_newtable(L);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushcfunction(L, open);
  lua_call(L, 0, 1);
  return 1;
}

enum { FIELDS_MAX = 12 };

/* The fields of each library that the Lua files use. A spec compares these with the files. */
static const struct library {
  const char *name;
  lua_CFunction open;
  const char *fields[FIELDS_MAX + 1];
} libraries[] = {
    /* First: its fields are global variables. */
    {LUA_GNAME,
     luaopen_base,
     {"error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawget", "select", "setmetatable", "tonumber",
      "tostring", "type"}},
    {LUA_MATHLIBNAME,
     luaopen_math,
     {"ceil", "floor", "huge", "max", "maxinteger", "min", "tointeger", "type"}},
    {LUA_STRLIBNAME, luaopen_string, {"byte", "find", "format", "gmatch", "gsub", "match", "rep", "sub"}},
    {LUA_TABLIBNAME, luaopen_table, {"concat", "insert", "sort", "unpack"}},
    {LUA_UTF8LIBNAME, luaopen_utf8, {"codepoint", "len"}},
};

enum { LIBRARIES_COUNT = sizeof libraries / sizeof libraries[0] };

/* Pops the value of a global variable and pushes the field of this name in it. Metamethods do not count: they are
 * a script's. */
static void replace_by_field(lua_State *L, const char *name) {
  if (lua_istable(L, -1)) {
    lua_pushstring(L, name);
    lua_rawget(L, -2);
  } else {
    lua_pushnil(L);
  }
  lua_replace(L, -2);
}

/* Pushes a copy of a standard library for the module alone. The global variables, and the metatable of strings, which
 * luaopen_string sets, are as before. */
static void push_library(lua_State *L, const struct library *library) {
  if (!library->open) luaL_error(L, "the interpreter has no library '%s'", library->name);
  int string = lua_gettop(L) + 1;
  lua_pushliteral(L, "");
  if (!lua_getmetatable(L, string)) lua_pushnil(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushcfunction(L, call_opener);
  lua_pushcfunction(L, library->open);
  int status = lua_pcall(L, 1, 1, 0);
  /* Neither allocates: the entry is there. */
  lua_pushvalue(L, string + 2);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushvalue(L, string + 1);
  lua_setmetatable(L, string);
  if (status != LUA_OK) lua_error(L);
  lua_replace(L, string);
  lua_settop(L, string);
}

/* Sets the fields of the table at the top: what the host has, and from a copy of the library what it lacks. */
static void set_fields(lua_State *L, const struct library *library) {
  int target = lua_gettop(L), given = target + 1, whole = target + 2;
  lua_pushglobaltable(L);
  if (library != libraries) replace_by_field(L, library->name);
  lua_pushnil(L);
  for (const char *const *field = library->fields; *field; field++) {
    lua_pushvalue(L, given);
    replace_by_field(L, *field);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      if (lua_isnil(L, whole)) {
        push_library(L, library);
        lua_replace(L, whole);
      }
      lua_getfield(L, whole, *field);
    }
    lua_setfield(L, target, *field);
  }
  lua_settop(L, target);
}

void cbl_lua_push_environment(lua_State *L) {
  lua_createtable(L, 0, FIELDS_MAX + LIBRARIES_COUNT - 1);
  set_fields(L, &libraries[0]);
  for (int i = 1; i < LIBRARIES_COUNT; i++) {
    lua_createtable(L, 0, FIELDS_MAX);
    set_fields(L, &libraries[i]);
    lua_setfield(L, -2, libraries[i].name);
  }
}
