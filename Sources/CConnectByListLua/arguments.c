/* The first phase of a call: reading the arguments from the Lua stack. */
#include <stdio.h>
#include <string.h>

#include "binding.h"

enum {
  TABLE_VALUES_MAX = 2048, /* keys and values of one table argument, its inner tables included */
  TABLE_DEPTH_MAX = 3,     /* a table nested deeper is passed as CBL_LUA_OTHER */
  NUMBER_TEXT_MAX = 64     /* more than LUA_NUMBER_FMT ever prints */
};

/* Where arguments are read to. */
struct space {
  struct cbl_lua_value *values;
  size_t count;
  size_t capacity;
};

static void read_handle(lua_State *L, int index, struct cbl_lua_value *value) {
  const struct cbl_lua_handle *handle = lua_touserdata(L, index);
  bool may_be_handle = lua_rawlen(L, index) == sizeof *handle;
  for (int type = CBL_LUA_TYPE_NONE + 1; may_be_handle && type < CBL_LUA_TYPE_COUNT; type++) {
    if (handle->type != &cbl_lua_types[type]) continue;
    value->kind = CBL_LUA_OBJECT;
    value->type = type;
    value->bytes = handle->object;
    return;
  }
  value->kind = CBL_LUA_OTHER;
  value->bytes = "userdata";
  value->count = strlen("userdata");
}

/* Reads a value whose fields, if it is a table, are not read. Text is not copied: the argument, or the
 * table that holds it, is on the stack until the call ends. */
static void read_value(lua_State *L, int index, struct cbl_lua_value *value) {
  *value = (struct cbl_lua_value){.kind = CBL_LUA_NIL};
  switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
      return;
    case LUA_TBOOLEAN:
      value->kind = CBL_LUA_BOOLEAN;
      value->integer = lua_toboolean(L, index);
      return;
    case LUA_TNUMBER:
      value->kind = lua_isinteger(L, index) ? CBL_LUA_INTEGER : CBL_LUA_NUMBER;
      value->integer = value->kind == CBL_LUA_INTEGER ? lua_tointeger(L, index) : 0;
      value->number = lua_tonumber(L, index);
      return;
    case LUA_TSTRING:
      value->kind = CBL_LUA_TEXT;
      value->bytes = lua_tolstring(L, index, &value->count);
      return;
    case LUA_TUSERDATA:
      read_handle(L, index, value);
      return;
    default:
      value->kind = CBL_LUA_OTHER;
      value->bytes = luaL_typename(L, index);
      value->count = strlen(value->bytes);
      return;
  }
}

static int raise_too_many(lua_State *L) { return luaL_error(L, "a table with too many fields"); }

static struct cbl_lua_value *next_value(lua_State *L, struct space *space) {
  /* A finalizer that ran after the counting may have added fields to a table. */
  if (space->count == space->capacity) raise_too_many(L);
  return &space->values[space->count++];
}

/* Whether the value at an index is a table whose fields are read. */
static bool reads_fields(lua_State *L, int index, int depth) {
  return depth <= TABLE_DEPTH_MAX && lua_type(L, index) == LUA_TTABLE;
}

static void count_table(lua_State *L, int index, int depth, size_t *count) {
  *count += 2; /* the table and its end */
  lua_pushnil(L);
  while (lua_next(L, index)) {
    *count += 1;
    if (reads_fields(L, lua_gettop(L), depth + 1)) {
      count_table(L, lua_gettop(L), depth + 1, count);
    } else {
      *count += 1;
    }
    if (*count > TABLE_VALUES_MAX) raise_too_many(L);
    lua_pop(L, 1);
  }
}

/* Reads a table: its head, its fields, level by level, then CBL_LUA_END. */
static void read_table(lua_State *L, int index, int depth, struct space *space) {
  struct cbl_lua_value *head = next_value(L, space);
  *head = (struct cbl_lua_value){.kind = CBL_LUA_TABLE};
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int top = lua_gettop(L);
    head->count++;
    read_value(L, top - 1, next_value(L, space));
    if (reads_fields(L, top, depth + 1)) {
      read_table(L, top, depth + 1, space);
    } else {
      read_value(L, top, next_value(L, space));
    }
    lua_pop(L, 1);
  }
  *next_value(L, space) = (struct cbl_lua_value){.kind = CBL_LUA_END};
}

size_t cbl_lua_count_arguments(lua_State *L, int first, int top) {
  size_t count = 0;
  for (int i = first; i <= top; i++) {
    if (reads_fields(L, i, 1)) {
      count_table(L, i, 1, &count);
    } else {
      count++;
    }
  }
  return count;
}

void cbl_lua_read_arguments(lua_State *L, int first, int top, struct cbl_lua_value *values,
                            size_t capacity) {
  struct space space = {values, 0, capacity};
  for (int i = first; i <= top; i++) {
    if (reads_fields(L, i, 1)) {
      read_table(L, i, 1, &space);
    } else {
      read_value(L, i, next_value(L, &space));
    }
  }
}

void cbl_lua_number_to_text(lua_State *L, int index) {
  if (lua_isinteger(L, index)) {
    lua_tolstring(L, index, NULL);
    return;
  }
  /* Not lua_tolstring: it adds ".0" to a float that is whole, and io.write does not. */
  char text[NUMBER_TEXT_MAX];
  int count = snprintf(text, sizeof text, LUA_NUMBER_FMT, (LUAI_UACNUMBER)lua_tonumber(L, index));
  lua_pushlstring(L, text, (size_t)count);
  lua_replace(L, index);
}
