/* One call over the border: read, call Swift, write. */
#include <stdio.h>
#include <string.h>

#include "border.h"

enum {
  VALUES_LOCAL = 12,      /* as many arguments or results need no allocation */
  TABLE_VALUES_MAX = 2048 /* how many keys and values a table of options may have, all levels */
};

/* --- raising --- */

static int raise_argument(lua_State *L, const struct cbl_row *row, int number, const char *what) {
  /* The position is the script's, not that of the face in between. */
  int level = row->behind_face ? 1 : 0;
  luaL_where(L, level + 1);
  /* As luaL_argerror counts: self is no argument where the call was written with a colon. */
  lua_Debug debug;
  if (row->self && number > 1 && lua_getstack(L, level, &debug) && lua_getinfo(L, "n", &debug) &&
      strcmp(debug.namewhat, "method") == 0) {
    number--;
  }
  if (number > 0) {
    lua_pushfstring(L, "bad argument #%d to '%s' (%s)", number, row->name, what);
  } else {
    lua_pushfstring(L, "%s: %s", row->name, what);
  }
  lua_concat(L, 2);
  return lua_error(L);
}

static int raise_closed(lua_State *L, enum cbl_type_index type) {
  return luaL_error(L, "attempt to use a closed %s", cbl_types[type].name);
}

/* --- reading --- */

static struct cbl_handle *handle_of_type(lua_State *L, int index, enum cbl_type_index type) {
  struct cbl_handle *handle = lua_touserdata(L, index);
  if (!handle || !lua_getmetatable(L, index)) return NULL;
  cbl_push_metatable(L, type);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? handle : NULL;
}

static void read_handle(lua_State *L, int index, struct cbl_value *value) {
  for (int type = CBL_TYPE_NONE + 1; type < CBL_TYPE_COUNT; type++) {
    struct cbl_handle *handle = handle_of_type(L, index, (enum cbl_type_index)type);
    if (!handle) continue;
    value->kind = CBL_OBJECT;
    value->type = type;
    value->bytes = handle->object;
    return;
  }
  value->kind = CBL_OTHER;
  value->bytes = "userdata";
  value->count = strlen("userdata");
}

/* A value that is no table. Text is not copied: the argument, or the table that holds it, is on the stack
 * until the call ends. */
static void read_value(lua_State *L, int index, struct cbl_value *value) {
  switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
      value->kind = CBL_NIL;
      return;
    case LUA_TBOOLEAN:
      value->kind = CBL_BOOLEAN;
      value->integer = lua_toboolean(L, index);
      return;
    case LUA_TNUMBER:
      value->kind = lua_isinteger(L, index) ? CBL_INTEGER : CBL_NUMBER;
      value->integer = value->kind == CBL_INTEGER ? lua_tointeger(L, index) : 0;
      value->number = lua_tonumber(L, index);
      return;
    case LUA_TSTRING:
      value->kind = CBL_TEXT;
      value->bytes = lua_tolstring(L, index, &value->count);
      return;
    case LUA_TUSERDATA:
      read_handle(L, index, value);
      return;
    default:
      value->kind = CBL_OTHER;
      value->bytes = luaL_typename(L, index);
      value->count = strlen(value->bytes);
      return;
  }
}

struct space {
  struct cbl_value *values;
  size_t count;
  size_t capacity;
};

static struct cbl_value *next_value(lua_State *L, struct space *space) {
  if (space->count == space->capacity) luaL_error(L, "a table with too many fields");
  return &space->values[space->count++];
}

/* A table spread out: its fields, level by level, then CBL_END. */
static void read_table(lua_State *L, int index, int depth, struct space *space) {
  size_t head = space->count;
  struct cbl_value *value = next_value(L, space);
  value->kind = CBL_TABLE;
  value->count = 0;
  luaL_checkstack(L, 4, NULL);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int top = lua_gettop(L);
    space->values[head].count++;
    read_value(L, top - 1, next_value(L, space));
    if (lua_type(L, top) == LUA_TTABLE && depth < 3) {
      read_table(L, top, depth + 1, space);
    } else {
      read_value(L, top, next_value(L, space));
    }
    lua_pop(L, 1);
  }
  next_value(L, space)->kind = CBL_END;
}

/* Numbers as io.write has them: the value on the stack becomes its text. */
static void make_text(lua_State *L, int index) {
  if (lua_isinteger(L, index)) {
    lua_tolstring(L, index, NULL);
  } else {
    char text[64];
    int count = snprintf(text, sizeof text, LUA_NUMBER_FMT, (LUAI_UACNUMBER)lua_tonumber(L, index));
    lua_pushlstring(L, text, (size_t)count);
    lua_replace(L, index);
  }
}

static struct cbl_value *allocate_values(lua_State *L, size_t count) {
  return lua_newuserdatauv(L, count * sizeof(struct cbl_value), 0);
}

/* --- writing --- */

static void push_value(lua_State *L, const struct cbl_value *value, const int *made) {
  switch (value->kind) {
    case CBL_BOOLEAN:
      lua_pushboolean(L, value->integer != 0);
      return;
    case CBL_INTEGER:
      lua_pushinteger(L, value->integer);
      return;
    case CBL_NUMBER:
      lua_pushnumber(L, value->number);
      return;
    case CBL_TEXT:
      lua_pushlstring(L, value->bytes, value->count);
      return;
    case CBL_NUMERAL: {
      char text[201];
      size_t count = value->count < 200 ? value->count : 200;
      memcpy(text, value->bytes, count);
      text[count] = '\0';
      if (lua_stringtonumber(L, text) == 0) lua_pushnil(L);
      return;
    }
    case CBL_MADE:
      lua_pushvalue(L, made[value->integer]);
      return;
    case CBL_SELF:
      lua_pushvalue(L, 1);
      return;
    default:
      lua_pushnil(L);
      return;
  }
}

/* One value of a tree, a table with all that is in it; returns what comes after. */
static const struct cbl_value *push_tree(lua_State *L, const struct cbl_value *value) {
  if (value->kind != CBL_TABLE) {
    push_value(L, value, NULL);
    return value + 1;
  }
  luaL_checkstack(L, 6, NULL);
  lua_createtable(L, 0, (int)value->count);
  value++;
  while (value->kind != CBL_END) {
    push_value(L, value, NULL);
    value = push_tree(L, value + 1);
    lua_rawset(L, -3);
  }
  return value + 1;
}

static int write_results(lua_State *L, const struct cbl_call *call, enum cbl_verdict verdict,
                         const int *made) {
  int count = (int)call->result_count;
  if (verdict == CBL_FAILED) {
    lua_pushnil(L);
    lua_pushlstring(L, call->scratch, call->message_count);
    lua_pushlstring(L, call->code, call->code_count);
    count += 3;
  }
  for (size_t i = 0; i < call->result_count; i++) push_value(L, &call->results[i], made);
  if (call->tree) {
    push_tree(L, call->tree);
    count++;
  }
  return count;
}

/* --- the call --- */

static int cross(lua_State *L, const struct cbl_row *row, void *self, bool raises) {
  int first = row->self ? 2 : 1;
  int top = lua_gettop(L);
  int count = top >= first ? top - first + 1 : 0;
  luaL_checkstack(L, count + LUA_MINSTACK, "too many arguments");

  struct cbl_value local_arguments[VALUES_LOCAL], local_results[VALUES_LOCAL];
  struct cbl_call call;
  memset(&call, 0, offsetof(struct cbl_call, scratch));
  call.object = self;

  bool has_table = false;
  for (int i = first; i <= top; i++) has_table |= lua_type(L, i) == LUA_TTABLE;
  struct space space = {local_arguments, 0, VALUES_LOCAL};
  if (has_table || count > VALUES_LOCAL) {
    space.capacity = (size_t)count + (has_table ? TABLE_VALUES_MAX : 0);
    space.values = allocate_values(L, space.capacity);
  }
  for (int i = first; i <= top; i++) {
    if (row->as_text && lua_type(L, i) == LUA_TNUMBER) make_text(L, i);
    if (lua_type(L, i) == LUA_TTABLE) {
      read_table(L, i, 1, &space);
    } else {
      read_value(L, i, next_value(L, &space));
    }
  }
  call.arguments = space.values;
  call.argument_count = (size_t)count;
  call.results = local_results;
  call.result_max = VALUES_LOCAL;
  if (count > VALUES_LOCAL) {
    call.results = allocate_values(L, (size_t)count);
    call.result_max = (size_t)count;
  }

  int made[CBL_MADE_MAX] = {0, 0};
  for (int i = 0; i < CBL_MADE_MAX && row->makes[i]; i++) {
    struct cbl_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
    handle->object = NULL;
    cbl_push_metatable(L, row->makes[i]);
    lua_setmetatable(L, -2);
    made[i] = lua_gettop(L);
    call.made[i] = &handle->object;
  }
  struct cbl_handle *reply = NULL;
  if (row->replies || (row->replies_to_many && count > 1)) {
    reply = lua_newuserdatauv(L, sizeof *reply, 0);
    reply->object = NULL;
    cbl_push_metatable(L, CBL_TYPE_REPLY);
    lua_setmetatable(L, -2);
    call.reply = &reply->object;
  }

  enum cbl_verdict verdict = row->function(&call);

  if (verdict == CBL_CLOSED) return raise_closed(L, row->self);
  if (verdict == CBL_MISUSE || (verdict == CBL_FAILED && raises)) {
    lua_pushlstring(L, call.scratch, call.message_count);
    if (verdict == CBL_FAILED) return lua_error(L);
    return raise_argument(L, row, call.bad_argument, lua_tostring(L, -1));
  }
  int written = write_results(L, &call, verdict, made);
  if (reply && reply->object) {
    void *object = reply->object;
    reply->object = NULL;
    cbl_types[CBL_TYPE_REPLY].release(object);
  }
  return written;
}

/* The object of the first argument, which must be a handle with the metatable of upvalue 2. */
static void *check_self(lua_State *L, const struct cbl_row *row) {
  struct cbl_handle *handle = lua_touserdata(L, 1);
  bool same = false;
  if (handle && lua_getmetatable(L, 1)) {
    same = lua_rawequal(L, -1, lua_upvalueindex(2));
    lua_pop(L, 1);
  }
  if (!same) {
    const char *what = lua_pushfstring(L, "%s expected, got %s", cbl_types[row->self].name,
                                       luaL_typename(L, 1));
    raise_argument(L, row, 1, what);
  }
  if (!handle->object) raise_closed(L, row->self);
  return handle->object;
}

int cbl_trampoline(lua_State *L) {
  const struct cbl_row *row = lua_touserdata(L, lua_upvalueindex(1));
  void *self = NULL;
  if (row->self) {
    /* Released by a finalizer that ran before this one: closing it again is nothing. */
    struct cbl_handle *handle = row->may_close ? handle_of_type(L, 1, row->self) : NULL;
    if (handle && !handle->object) return 0;
    self = check_self(L, row);
  }
  return cross(L, row, self, false);
}

/* --- socket:lines --- */

/* Upvalues: the row of read (unused), the metatable, the socket, the formats. */
static int next_line(lua_State *L) {
  int count = (int)lua_tointeger(L, lua_upvalueindex(1));
  lua_settop(L, 0);
  for (int i = 0; i <= count; i++) lua_pushvalue(L, lua_upvalueindex(3 + i));
  return cross(L, &cbl_read_row, check_self(L, &cbl_read_row), true);
}

int cbl_lines(lua_State *L) {
  check_self(L, &cbl_read_row);
  int count = lua_gettop(L) - 1;
  /* A C closure has 255 upvalues at most; io's own limit is 250 too. */
  luaL_argcheck(L, count <= 250, 252, "too many arguments");
  lua_pushinteger(L, count);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_rotate(L, 1, 2);
  lua_pushcclosure(L, next_line, count + 3);
  return 1;
}
