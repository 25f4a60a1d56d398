/* Values between a program and its Lua state. Tables are copied, without calling a metamethod. */

#include "values.h"

#include <stdlib.h>
#include <string.h>

enum {
  DEPTH_MAX = 32,         /* tables in tables; a table that contains itself would have no end */
  VALUE_MAX = 10000000    /* records of one request */
};

/* ---- Buffers ---- */

static void *append(lua_State *L, struct cbl_host_buffer *buffer, const void *bytes, size_t count) {
  if (buffer->capacity - buffer->count < count) {
    size_t capacity = 2 * buffer->capacity + count + 64;
    void *grown = realloc(buffer->bytes, capacity);
    if (grown == NULL) luaL_error(L, "not enough memory");
    buffer->bytes = grown;
    buffer->capacity = capacity;
  }
  void *place = buffer->bytes + buffer->count;
  if (count > 0) memcpy(place, bytes, count);
  buffer->count += count;
  return place;
}

void cbl_host_release(struct cbl_host_request *request) {
  free(request->records.bytes);
  free(request->texts.bytes);
  memset(&request->records, 0, sizeof request->records);
  memset(&request->texts, 0, sizeof request->texts);
  request->values = NULL;
  request->value_count = 0;
}

/* ---- To Lua ---- */

/* Pushes one value, and returns the place after it. */
static const struct cbl_host_value *push(lua_State *L, const struct cbl_host_value *value,
                                         const struct cbl_host_value *end, int depth) {
  luaL_checkstack(L, 3, "too many values");
  const struct cbl_host_value *next = value + 1;
  switch (value->kind) {
    case CBL_HOST_BOOLEAN: lua_pushboolean(L, value->integer != 0); break;
    case CBL_HOST_INTEGER: lua_pushinteger(L, value->integer); break;
    case CBL_HOST_NUMBER: lua_pushnumber(L, value->number); break;
    case CBL_HOST_TEXT: lua_pushlstring(L, value->bytes, value->count); break;
    case CBL_HOST_TABLE:
      if (depth == DEPTH_MAX) luaL_error(L, "an argument has more than %d tables in tables", DEPTH_MAX);
      lua_newtable(L);
      while (next < end && next->kind != CBL_HOST_END) {
        next = push(L, next, end, depth + 1);
        next = push(L, next, end, depth + 1);
        /* lua_rawset raises for nil and NaN. */
        lua_rawset(L, -3);
      }
      next++;
      break;
    default: lua_pushnil(L); break;
  }
  return next;
}

int cbl_host_push_arguments(lua_State *L, const struct cbl_host_request *request) {
  const struct cbl_host_value *value = request->arguments;
  const struct cbl_host_value *end = value + request->argument_count;
  int count = 0;
  for (; value < end; count++) value = push(L, value, end, 0);
  return count;
}

/* ---- From Lua ---- */

static void add(lua_State *L, struct cbl_host_request *request, int index, int depth);

static void add_record(lua_State *L, struct cbl_host_request *request,
                       const struct cbl_host_value *record) {
  if (request->records.count / sizeof *record >= VALUE_MAX) luaL_error(L, "too many results");
  append(L, &request->records, record, sizeof *record);
}

static void add_table(lua_State *L, struct cbl_host_request *request, int index, int depth) {
  if (depth == DEPTH_MAX) luaL_error(L, "a result has more than %d tables in tables", DEPTH_MAX);
  luaL_checkstack(L, 3, "too many tables in tables");
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int top = lua_gettop(L);
    add(L, request, top - 1, depth + 1);
    add(L, request, top, depth + 1);
    lua_pop(L, 1);
  }
  struct cbl_host_value end = {.kind = CBL_HOST_END};
  add_record(L, request, &end);
}

/* Until the values are sealed, `integer` of a text is its place among the texts. */
static void add(lua_State *L, struct cbl_host_request *request, int index, int depth) {
  struct cbl_host_value record = {.kind = CBL_HOST_NIL};
  const char *text = NULL;
  switch (lua_type(L, index)) {
    case LUA_TNIL: break;
    case LUA_TBOOLEAN:
      record.kind = CBL_HOST_BOOLEAN;
      record.integer = lua_toboolean(L, index);
      break;
    case LUA_TNUMBER:
      record.kind = lua_isinteger(L, index) ? CBL_HOST_INTEGER : CBL_HOST_NUMBER;
      if (lua_isinteger(L, index)) {
        record.integer = lua_tointeger(L, index);
      } else {
        record.number = lua_tonumber(L, index);
      }
      break;
    case LUA_TSTRING:
      record.kind = CBL_HOST_TEXT;
      text = lua_tolstring(L, index, &record.count);
      break;
    case LUA_TTABLE:
      record.kind = CBL_HOST_TABLE;
      break;
    default:
      record.kind = CBL_HOST_OTHER;
      text = luaL_typename(L, index);
      record.count = strlen(text);
      break;
  }
  if (text) {
    record.integer = (int64_t)request->texts.count;
    append(L, &request->texts, text, record.count);
  }
  add_record(L, request, &record);
  if (record.kind == CBL_HOST_TABLE) add_table(L, request, index, depth);
}

void cbl_host_add_values(lua_State *L, struct cbl_host_request *request, int first) {
  int top = lua_gettop(L);
  for (int index = first; index <= top; index++) add(L, request, index, 0);
}

void cbl_host_seal_values(struct cbl_host_request *request) {
  struct cbl_host_value *values = (struct cbl_host_value *)(void *)request->records.bytes;
  size_t count = request->records.count / sizeof *values;
  for (size_t i = 0; i < count; i++) {
    if (values[i].kind == CBL_HOST_TEXT || values[i].kind == CBL_HOST_OTHER) {
      values[i].bytes = request->texts.bytes + values[i].integer;
    }
  }
  request->values = values;
  request->value_count = count;
}
