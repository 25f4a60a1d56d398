/* One call over the border: read, call Swift, write. */
#include <stdio.h>
#include <string.h>

#include "binding.h"

enum {
  VALUES_LOCAL = 12,       /* as many arguments or results need no allocation */
  TABLE_VALUES_MAX = 2048, /* how many keys and values a table of options may have, all levels */
  TABLE_DEPTH_MAX = 3,     /* a table deeper down is not looked into */
  STACK_EXTRA = 24         /* what a call pushes at most, more than VALUES_LOCAL results aside */
};

/* --- raising --- */

/* Raises the message on top of the stack, with the script's position, not the face's in between. */
static int raise_message(lua_State *L, const struct cbl_lua_method *method) {
  luaL_where(L, method->has_lua_wrapper ? 2 : 1);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

/* As luaL_argerror counts: self is no argument where the call was written with a colon. That is not to be
 * seen of a tail call, such as the face makes when it has fetched a method; methods mostly are. The
 * formats of an iterator's read were the arguments of `lines`. */
static bool counts_without_self(lua_State *L, const struct cbl_lua_method *method) {
  lua_Debug called;
  if (method->raises) return true;
  return method->self && lua_getstack(L, method->has_lua_wrapper ? 1 : 0, &called) &&
         lua_getinfo(L, "nt", &called) &&
         (called.istailcall || strcmp(called.namewhat, "method") == 0);
}

static int raise_argument(lua_State *L, const struct cbl_lua_method *method, int number, const char *what) {
  if (number > 1 && counts_without_self(L, method)) number--;
  if (number > 0) {
    lua_pushfstring(L, "bad argument #%d to '%s' (%s)", number, method->name, what);
  } else {
    lua_pushfstring(L, "%s: %s", method->name, what);
  }
  return raise_message(L, method);
}

static int raise_closed(lua_State *L, const struct cbl_lua_method *method) {
  lua_pushfstring(L, "attempt to use a closed %s", cbl_lua_types[method->self].name);
  return raise_message(L, method);
}

/* --- reading --- */

static void read_handle(lua_State *L, int index, struct cbl_lua_value *value) {
  for (int type = CBL_LUA_TYPE_NONE + 1; type < CBL_LUA_TYPE_COUNT; type++) {
    struct cbl_lua_handle *handle = cbl_lua_handle_at(L, index, &cbl_lua_types[type]);
    if (!handle) continue;
    value->kind = CBL_LUA_OBJECT;
    value->type = type;
    value->bytes = handle->object;
    return;
  }
  value->kind = CBL_LUA_OTHER;
  value->bytes = "userdata";
  value->count = strlen("userdata");
}

/* A value that is no table. Text is not copied: the argument, or the table that holds it, is on the
 * stack until the call ends. */
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

struct space {
  struct cbl_lua_value *values;
  size_t count;
  size_t capacity;
};

static int raise_too_many(lua_State *L) { return luaL_error(L, "a table with too many fields"); }

static struct cbl_lua_value *next_value(lua_State *L, struct space *space) {
  /* A finalizer that ran since the counting may have added to the table. */
  if (space->count == space->capacity) raise_too_many(L);
  return &space->values[space->count++];
}

static bool is_spread(lua_State *L, int index, int depth) {
  return depth <= TABLE_DEPTH_MAX && lua_type(L, index) == LUA_TTABLE;
}

/* Adds how many values a table takes when it is spread out. */
static void count_values(lua_State *L, int index, int depth, size_t *count) {
  *count += 2; /* the table and its end */
  lua_pushnil(L);
  while (lua_next(L, index)) {
    *count += 1;
    if (is_spread(L, lua_gettop(L), depth + 1)) {
      count_values(L, lua_gettop(L), depth + 1, count);
    } else {
      *count += 1;
    }
    if (*count > TABLE_VALUES_MAX) raise_too_many(L);
    lua_pop(L, 1);
  }
}

/* A table spread out: its fields, level by level, then CBL_LUA_END. */
static void read_table(lua_State *L, int index, int depth, struct space *space) {
  struct cbl_lua_value *head = next_value(L, space);
  *head = (struct cbl_lua_value){.kind = CBL_LUA_TABLE};
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int top = lua_gettop(L);
    head->count++;
    read_value(L, top - 1, next_value(L, space));
    if (is_spread(L, top, depth + 1)) {
      read_table(L, top, depth + 1, space);
    } else {
      read_value(L, top, next_value(L, space));
    }
    lua_pop(L, 1);
  }
  *next_value(L, space) = (struct cbl_lua_value){.kind = CBL_LUA_END};
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

static struct cbl_lua_value *allocate_values(lua_State *L, size_t count) {
  return lua_newuserdatauv(L, count * sizeof(struct cbl_lua_value), 0);
}

/* --- writing --- */

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
    case CBL_LUA_NUMERAL: {
      char text[201];
      size_t count = value->count < 200 ? value->count : 200;
      memcpy(text, value->bytes, count);
      text[count] = '\0';
      if (lua_stringtonumber(L, text) == 0) lua_pushnil(L);
      return;
    }
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

/* One value of a tree, a table with all that is in it; returns what comes after. */
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

static int write_results(lua_State *L, const struct cbl_lua_call *call, enum cbl_lua_verdict verdict,
                         int made) {
  int count = (int)call->result_count;
  if (verdict == CBL_LUA_FAILED) {
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

/* A closed handle on top of the stack, which owns what Swift puts into it, once it has its metatable. */
static struct cbl_lua_handle *push_handle(lua_State *L, enum cbl_lua_type_index type) {
  struct cbl_lua_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
  *handle = (struct cbl_lua_handle){&cbl_lua_types[type], NULL};
  return handle;
}

/* The call has failed, and what it made is what it makes instead. Nothing here allocates. */
static void change_type(lua_State *L, struct cbl_lua_handle *handle, int index,
                        enum cbl_lua_type_index type) {
  if (handle->type == &cbl_lua_types[type]) return;
  handle->type = &cbl_lua_types[type];
  cbl_lua_push_metatable(L, type);
  lua_setmetatable(L, index);
}

/* How many values the arguments from `first` on take, tables spread out. */
static size_t count_arguments(lua_State *L, int first, int top) {
  size_t count = 0;
  for (int i = first; i <= top; i++) {
    if (is_spread(L, i, 1)) {
      count_values(L, i, 1, &count);
    } else {
      count++;
    }
  }
  return count;
}

static void read_arguments(lua_State *L, int first, int top, struct space *space) {
  for (int i = first; i <= top; i++) {
    if (is_spread(L, i, 1)) {
      read_table(L, i, 1, space);
    } else {
      read_value(L, i, next_value(L, space));
    }
  }
}

static int invoke(lua_State *L, const struct cbl_lua_method *method, struct cbl_lua_handle *self) {
  int first = method->self ? 2 : 1;
  int top = lua_gettop(L);
  int count = top >= first ? top - first + 1 : 0;
  luaL_checkstack(L, count + STACK_EXTRA, "too many arguments");

  struct cbl_lua_value local_arguments[VALUES_LOCAL], local_results[VALUES_LOCAL];
  struct cbl_lua_call call;
  memset(&call, 0, offsetof(struct cbl_lua_call, scratch));

  /* Everything that allocates comes before the reading. To allocate may run finalizers, and those
   * may close self, or take out of a table the text that was read from it. */
  for (int i = first; method->as_text && i <= top; i++) {
    if (lua_type(L, i) == LUA_TNUMBER) make_text(L, i);
  }
  struct space space = {local_arguments, 0, VALUES_LOCAL};
  size_t needed = count_arguments(L, first, top);
  if (needed > VALUES_LOCAL) {
    space.values = allocate_values(L, needed);
    space.capacity = needed;
  }
  call.results = local_results;
  call.result_max = VALUES_LOCAL;
  if (count > VALUES_LOCAL) {
    call.results = allocate_values(L, (size_t)count);
    call.result_max = (size_t)count;
  }
  struct cbl_lua_handle *made = NULL, *reply = NULL;
  int made_index = 0;
  if (cbl_lua_made_type(method)) {
    made = push_handle(L, cbl_lua_made_type(method));
    made_index = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setmetatable(L, made_index);
    call.made = &made->object;
  }
  if (method->replies || (method->replies_to_many && count > 1)) {
    reply = push_handle(L, CBL_LUA_TYPE_REPLY);
    cbl_lua_push_metatable(L, CBL_LUA_TYPE_REPLY);
    lua_setmetatable(L, -2);
    call.reply = &reply->object;
  }

  if (self && !self->object) return raise_closed(L, method);
  call.object = self ? self->object : NULL;
  read_arguments(L, first, top, &space);
  call.arguments = space.values;
  call.argument_count = (size_t)count;

  enum cbl_lua_verdict verdict = method->function(&call);

  if (verdict == CBL_LUA_FAILED && method->makes_instead) {
    change_type(L, made, made_index, method->makes_instead);
  }
  if (verdict == CBL_LUA_CLOSED) return raise_closed(L, method);
  if (verdict == CBL_LUA_MISUSE || (verdict == CBL_LUA_FAILED && method->raises)) {
    lua_pushlstring(L, call.scratch, call.message_count);
    if (verdict == CBL_LUA_FAILED) return raise_message(L, method);
    return raise_argument(L, method, call.bad_argument, lua_tostring(L, -1));
  }
  if (method->releases) cbl_lua_release(self);
  int written = write_results(L, &call, verdict, made_index);
  if (reply) cbl_lua_release(reply);
  return written;
}

static int raise_no_self(lua_State *L, const struct cbl_lua_method *method) {
  const char *type = luaL_typename(L, 1);
  if (luaL_getmetafield(L, 1, "__name") == LUA_TSTRING) type = lua_tostring(L, -1);
  const char *what = lua_pushfstring(L, "%s expected, got %s", cbl_lua_types[method->self].name, type);
  return raise_argument(L, method, 1, what);
}

/* The first argument, which must be an open handle of the method's type. */
static struct cbl_lua_handle *check_self(lua_State *L, const struct cbl_lua_method *method) {
  struct cbl_lua_handle *handle = cbl_lua_handle_at(L, 1, &cbl_lua_types[method->self]);
  if (!handle) raise_no_self(L, method);
  if (!handle->object) raise_closed(L, method);
  return handle;
}

/* Whether the only argument beside self is the text that `ready` answers. */
static bool is_ready_for(lua_State *L, const struct cbl_lua_method *method) {
  size_t count;
  /* A number would become text by being looked at. */
  if (lua_type(L, 2) != LUA_TSTRING) return false;
  const char *text = lua_tolstring(L, 2, &count);
  return count == 1 && text[0] == method->ready_for;
}

/* Pushes what can be answered at once. Lua copies the text before a finalizer can run that would change
 * what it points to. */
static bool push_ready(lua_State *L, const struct cbl_lua_method *method, const struct cbl_lua_handle *self) {
  struct cbl_lua_text text;
  if (!self->object || !method->ready(self->object, &text)) return false;
  lua_pushlstring(L, text.bytes, text.count);
  return true;
}

int cbl_lua_trampoline(lua_State *L) {
  const struct cbl_lua_method *method = lua_touserdata(L, lua_upvalueindex(1));
  if (!method->self) return invoke(L, method, NULL);
  struct cbl_lua_handle *self = cbl_lua_handle_at(L, 1, &cbl_lua_types[method->self]);
  if (!self) return raise_no_self(L, method);
  if (method->ready) {
    int top = lua_gettop(L);
    if (top <= 2 && (top == 1 || is_ready_for(L, method)) && push_ready(L, method, self)) return 1;
  }
  if (method->may_close) {
    /* Such a method has no arguments of its own. What __close gets besides, the error, may be a
     * table of any size: nothing of it is to be read, so that closing cannot fail. */
    if (lua_gettop(L) > 1) lua_settop(L, 1);
    if (!self->object) {
      lua_pushboolean(L, method->answer_when_released);
      return 1;
    }
  }
  if (!self->object) return raise_closed(L, method);
  return invoke(L, method, self);
}

/* --- socket:lines --- */

/* Upvalues: how many formats, the socket, the formats. */
static int next_line(lua_State *L) {
  const struct cbl_lua_method *method = &cbl_lua_next_line_method;
  int count = (int)lua_tointeger(L, lua_upvalueindex(1));
  lua_settop(L, 0);
  luaL_checkstack(L, count + 1, "too many arguments");
  for (int i = 0; i <= count; i++) lua_pushvalue(L, lua_upvalueindex(2 + i));
  return invoke(L, method, check_self(L, method));
}

/* The iterator where `ready` may answer: with no format, or the one that it answers. A function of its
 * own, because a loop over short lines does little else. */
static int next_ready_line(lua_State *L) {
  const struct cbl_lua_handle *self = lua_touserdata(L, lua_upvalueindex(2));
  return push_ready(L, &cbl_lua_next_line_method, self) ? 1 : next_line(L);
}

int cbl_lua_lines(lua_State *L) {
  const struct cbl_lua_method *method = &cbl_lua_lines_method;
  struct cbl_lua_handle *self = check_self(L, method);
  int count = lua_gettop(L) - 1;
  /* A C closure has 255 upvalues at most; io's own limit is 250 too. */
  if (count > 250) raise_argument(L, method, 252, "too many arguments");
  bool is_ready = count == 0 || (count == 1 && is_ready_for(L, &cbl_lua_next_line_method));
  invoke(L, method, self);
  lua_settop(L, count + 1);
  lua_pushinteger(L, count);
  lua_insert(L, 1);
  lua_pushcclosure(L, is_ready ? next_ready_line : next_line, count + 2);
  return 1;
}
