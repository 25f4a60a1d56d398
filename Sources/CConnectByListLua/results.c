/* The last phase of a call: pushing the results onto the Lua stack. */
#include <string.h>

#include "binding.h"

/* The text came from a stream and need not be a number: `read("n")` then gives nil. */
static void push_numeral(lua_State *L, const struct cbl_lua_value *value) {
  char text[CBL_LUA_NUMERAL_MAX + 1];
  size_t count = value->count < CBL_LUA_NUMERAL_MAX ? value->count : CBL_LUA_NUMERAL_MAX;
  memcpy(text, value->bytes, count);
  text[count] = '\0';
  if (lua_stringtonumber(L, text) == 0) lua_pushnil(L);
}

static void push_value(lua_State *L, const struct cbl_lua_value *value, int made) {
  switch (value->kind) {
    case CBL_LUA_BOOLEAN:
      lua_pushboolean(L, value->integer != 0);
      return;
    case CBL_LUA_INTEGER:
      lua_pushinteger(L, value->integer);
      return;
    case CBL_LUA_NUMBER:
      lua_pushnumber(L, value->number);
      return;
    case CBL_LUA_TEXT:
      lua_pushlstring(L, value->bytes, value->count);
      return;
    case CBL_LUA_NUMERAL:
      push_numeral(L, value);
      return;
    case CBL_LUA_MADE:
      lua_pushvalue(L, made);
      return;
    case CBL_LUA_SELF:
      lua_pushvalue(L, 1);
      return;
    default:
      lua_pushnil(L);
      return;
  }
}

/* Pushes an address, a table with the fields of the four values. */
static void push_address(lua_State *L, const struct cbl_lua_value *fields) {
  static const char *const names[] = {"host", "port", "family", "scope"};
  lua_createtable(L, 0, 4);
  for (int i = 0; i < 4; i++) {
    if (fields[i].kind == CBL_LUA_NIL) continue;
    push_value(L, &fields[i], 0);
    lua_setfield(L, -2, names[i]);
  }
  cbl_lua_push_address_metatable(L);
  lua_setmetatable(L, -2);
}

/* Pushes one value of a tree, a table with all its fields; returns the place after it. */
static const struct cbl_lua_value *push_tree(lua_State *L, const struct cbl_lua_value *value) {
  if (value->kind != CBL_LUA_TABLE) {
    push_value(L, value, 0);
    return value + 1;
  }
  luaL_checkstack(L, 6, NULL);
  lua_createtable(L, 0, (int)value->count);
  value++;
  while (value->kind != CBL_LUA_END) {
    push_value(L, value, 0);
    value = push_tree(L, value + 1);
    lua_rawset(L, -3);
  }
  return value + 1;
}

void cbl_lua_push_failure(lua_State *L, const struct cbl_lua_method *method,
                          const struct cbl_lua_call *call) {
  if (call->names_method) lua_pushfstring(L, "%s: ", method->name);
  lua_pushlstring(L, call->scratch, call->message_count);
  if (call->names_method) lua_concat(L, 2);
}

int cbl_lua_push_results(lua_State *L, const struct cbl_lua_method *method,
                         const struct cbl_lua_call *call, enum cbl_lua_verdict verdict, int made) {
  int count = (int)call->result_count;
  if (verdict == CBL_LUA_FAILED) {
    lua_pushnil(L);
    cbl_lua_push_failure(L, method, call);
    lua_pushlstring(L, call->code, call->code_count);
    count += 3;
  }
  for (size_t i = 0; i < call->result_count; i++) {
    if (call->results[i].kind == CBL_LUA_ADDRESS) {
      push_address(L, &call->results[i + 1]);
      i += 4;
      count -= 4;
    } else {
      push_value(L, &call->results[i], made);
    }
  }
  if (call->tree) {
    push_tree(L, call->tree);
    count++;
  }
  return count;
}
