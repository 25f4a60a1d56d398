/* One call from Lua: reads the arguments, calls Swift, pushes the results, or raises. */
#include <string.h>

#include "binding.h"
#include "state.h"

enum {
  VALUES_LOCAL = 12, /* this many arguments, or results, need no allocation */
  STACK_EXTRA = 24,  /* stack slots of a call in addition to its arguments: at most VALUES_LOCAL results, and 12 */
  FORMATS_MAX = 250  /* of `lines`, as io's: a C closure has 255 upvalues at most */
};

/* --- raising --- */

/* Raises the message on top of the stack, with the position in the script, which is above the
 * wrappers that called. */
static int raise_message(lua_State *L, const struct cbl_lua_method *method) {
  luaL_where(L, 1 + method->wrapper_count);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

/* Whether argument numbers in a message leave self out, as luaL_argerror does where the call was written
 * with a colon. Of a tail call Lua does not know how it was written; a method is mostly called with a
 * colon. */
static bool counts_without_self(lua_State *L, const struct cbl_lua_method *method) {
  lua_Debug called;
  if (method->iterator_of) return true;
  return method->self && lua_getstack(L, method->wrapper_count, &called) &&
         lua_getinfo(L, "nt", &called) &&
         (called.istailcall || strcmp(called.namewhat, "method") == 0);
}

static int raise_argument(lua_State *L, const struct cbl_lua_method *method, int number,
                          const char *what) {
  const char *name = method->iterator_of ? method->iterator_of : method->name;
  if (number > 1 && counts_without_self(L, method)) number--;
  if (number > 0) {
    lua_pushfstring(L, "bad argument #%d to '%s' (%s)", number, name, what);
  } else {
    lua_pushfstring(L, "%s: %s", name, what);
  }
  return raise_message(L, method);
}

static int raise_closed(lua_State *L, const struct cbl_lua_method *method) {
  if (method->answers_closed) {
    lua_pushnil(L);
    lua_pushliteral(L, "closed");
    return 2;
  }
  lua_pushfstring(L, "attempt to use a closed %s", cbl_lua_types[method->self].name);
  return raise_message(L, method);
}

static int raise_no_self(lua_State *L, const struct cbl_lua_method *method) {
  const char *type = luaL_typename(L, 1);
  if (luaL_getmetafield(L, 1, "__name") == LUA_TSTRING) type = lua_tostring(L, -1);
  const char *expected = cbl_lua_types[method->self].name;
  return raise_argument(L, method, 1, lua_pushfstring(L, "%s expected, got %s", expected, type));
}

/* --- the call --- */

/* Pushes a closed handle; without a metatable it has no finalizer yet. */
static struct cbl_lua_handle *push_handle(lua_State *L, enum cbl_lua_type_index type) {
  struct cbl_lua_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
  *handle = (struct cbl_lua_handle){&cbl_lua_types[type], NULL};
  return handle;
}

/* A host calls it, and declares it itself: no header that Swift imports may show Lua. */
void cbl_lua_push_report(lua_State *L, void *report);

/* Pushes a report of the Swift half, which the handle owns from then on. May raise before it does. The
 * module is loaded. */
void cbl_lua_push_report(lua_State *L, void *report) {
  struct cbl_lua_handle *handle = push_handle(L, CBL_LUA_TYPE_REPORT);
  cbl_lua_push_metatable(L, CBL_LUA_TYPE_REPORT);
  lua_setmetatable(L, -2);
  handle->object = report;
}

/* The call has failed: the handle made for it becomes one of another type. Allocates nothing. */
static void change_type(lua_State *L, struct cbl_lua_handle *handle, int index,
                        enum cbl_lua_type_index type) {
  if (handle->type == &cbl_lua_types[type]) return;
  handle->type = &cbl_lua_types[type];
  cbl_lua_push_metatable(L, type);
  lua_setmetatable(L, index);
}

static struct cbl_lua_value *allocate_values(lua_State *L, size_t count) {
  return lua_newuserdatauv(L, count * sizeof(struct cbl_lua_value), 0);
}

/* --- between two tries --- */

/* Makes the handle that owns what the call keeps. Its argument: the address of the object's pointer. */
static int adopt(lua_State *L) {
  void **pending = lua_touserdata(L, 1);
  struct cbl_lua_handle *handle = push_handle(L, CBL_LUA_TYPE_PENDING);
  cbl_lua_push_metatable(L, CBL_LUA_TYPE_PENDING);
  lua_setmetatable(L, -2);
  handle->object = *pending;
  return 1;
}

/* Lua code is going to run: leaves on the stack the arguments and, above them, a handle that owns what the call
 * keeps, if it keeps an object. `owner` is that handle, if there is one already. Raises without leaking the
 * object. */
static struct cbl_lua_handle *settle(lua_State *L, int top, struct cbl_lua_kept *kept,
                                     struct cbl_lua_handle *owner) {
  if (owner || !kept->pending) {
    lua_settop(L, owner ? top + 1 : top);
    return owner;
  }
  lua_settop(L, top);
  lua_pushcfunction(L, adopt);
  lua_pushlightuserdata(L, &kept->pending);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return lua_touserdata(L, -1);
  cbl_lua_release_pending(kept->pending);
  lua_error(L);
  return NULL;
}

/* What is on the stack while a waiter runs, above the arguments: the owner of the kept object, if the context
 * says so; the deadline; the progress. The context is the method's address and these flags. */
enum { CONTEXT_HAS_OWNER = 1, CONTEXT_HAS_COLLECTED = 2, CONTEXT_FLAGS = 3 };

static int run(lua_State *L, const struct cbl_lua_method *method, struct cbl_lua_handle *self, int top,
               struct cbl_lua_kept *kept, struct cbl_lua_handle *owner);

/* The continuation of every call that waits: after the waiter has returned the call is tried again. */
static int go_on(lua_State *L, int status, lua_KContext context) {
  (void)status;
  const struct cbl_lua_method *method =
      (const struct cbl_lua_method *)(context & ~(lua_KContext)CONTEXT_FLAGS);
  struct cbl_lua_kept kept = {.is_retry = true, .has_collected = (context & CONTEXT_HAS_COLLECTED) != 0};
  kept.deadline = lua_tointeger(L, -2);
  kept.progress = (size_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  struct cbl_lua_handle *owner = context & CONTEXT_HAS_OWNER ? lua_touserdata(L, -1) : NULL;
  if (owner) kept.pending = owner->object;
  return run(L, method, NULL, lua_gettop(L) - (owner ? 1 : 0), &kept, owner);
}

/* Calls the waiter at the top of the stack with the first argument. It may yield; then `go_on` is called in
 * place of returning here. */
static void call_waiter(lua_State *L, const struct cbl_lua_method *method, const struct cbl_lua_kept *kept,
                        bool has_owner) {
  lua_pushinteger(L, kept->deadline);
  lua_insert(L, -2);
  lua_pushinteger(L, (lua_Integer)kept->progress);
  lua_insert(L, -2);
  lua_pushvalue(L, 1);
  lua_KContext context = (lua_KContext)method | (has_owner ? CONTEXT_HAS_OWNER : 0) |
                         (kept->has_collected ? CONTEXT_HAS_COLLECTED : 0);
  lua_callk(L, 1, 0, context, go_on);
  lua_pop(L, 2);
}

/* One try: reads the arguments and calls Swift, again and again while the waits in between run no Lua code.
 * Returns the number of results; -1 if Lua code has to run first and `call` says why. */
static int try_call(lua_State *L, const struct cbl_lua_method *method, struct cbl_lua_handle *self, int top,
                    struct cbl_lua_call *call, struct cbl_lua_handle *owner,
                    enum cbl_lua_verdict *verdict) {
  int first = method->self ? 2 : 1;
  int count = top >= first ? top - first + 1 : 0;
  luaL_checkstack(L, count + STACK_EXTRA, "too many arguments");

  struct cbl_lua_value local_arguments[VALUES_LOCAL], local_results[VALUES_LOCAL];

  /* All allocations come before the reading: an allocation may run finalizers, and those may close self,
   * or remove from a table the text that was read from it. */
  for (int i = first; method->as_text && i <= top; i++) {
    if (lua_type(L, i) == LUA_TNUMBER) cbl_lua_number_to_text(L, i);
  }
  struct cbl_lua_value *arguments = local_arguments;
  size_t capacity = VALUES_LOCAL, needed = cbl_lua_count_arguments(L, first, top);
  if (needed > VALUES_LOCAL) {
    arguments = allocate_values(L, needed);
    capacity = needed;
  }
  call->results = local_results;
  call->result_max = VALUES_LOCAL;
  if (count > VALUES_LOCAL) {
    call->results = allocate_values(L, (size_t)count);
    call->result_max = (size_t)count;
  }
  struct cbl_lua_handle *made = NULL, *reply = NULL;
  int made_index = 0;
  if (cbl_lua_made_type(method)) {
    made = push_handle(L, cbl_lua_made_type(method));
    made_index = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setmetatable(L, made_index);
    call->made = &made->object;
  }
  if (method->replies || (method->replies_to_many && count > 1)) {
    reply = push_handle(L, CBL_LUA_TYPE_REPLY);
    cbl_lua_push_metatable(L, CBL_LUA_TYPE_REPLY);
    lua_setmetatable(L, -2);
    call->reply = &reply->object;
  }
  /* A finalizer, or code that ran during a wait, may have closed it by now. */
  if (self && !self->object) {
    if (!method->may_close) return raise_closed(L, method);
    lua_pushboolean(L, method->answer_when_released);
    return 1;
  }
  call->object = self ? self->object : NULL;
  cbl_lua_read_arguments(L, first, top, arguments, capacity);
  call->arguments = arguments;
  call->argument_count = (size_t)count;
  call->policy = cbl_lua_policy_of(L);

  do {
    *verdict = method->function(call);
    /* From here on either Swift has released what the call kept, or the call waits. */
    if (owner) owner->object = call->kept.pending;
    if (*verdict == CBL_LUA_COLLECT) return -1;
    if (*verdict != CBL_LUA_WAIT) break;
    call->kept.is_retry = true;
    if (method->self == CBL_LUA_TYPE_SOCKET && !method->ignores_waiter && cbl_lua_push_waiter(L)) {
      lua_pop(L, 1);
      return -1;
    }
  } while (cbl_lua_block(L, &call->wait, &call->kept.ready));
  if (*verdict == CBL_LUA_WAIT) return -1;

  if (*verdict == CBL_LUA_FAILED && method->makes_on_failure) {
    change_type(L, made, made_index, method->makes_on_failure);
  }
  if (*verdict == CBL_LUA_CLOSED) return raise_closed(L, method);
  if (*verdict == CBL_LUA_MISUSE) {
    lua_pushlstring(L, call->scratch, call->message_count);
    return raise_argument(L, method, call->bad_argument, lua_tostring(L, -1));
  }
  if (*verdict == CBL_LUA_FAILED && method->never_fails) {
    lua_pushliteral(L, "not enough memory");
    return lua_error(L);
  }
  if (*verdict == CBL_LUA_FAILED && method->iterator_of) {
    cbl_lua_push_failure(L, method, call);
    return raise_message(L, method);
  }
  if (method->releases) cbl_lua_release(self);
  int pushed = cbl_lua_push_results(L, method, call, *verdict, made_index);
  if (reply) cbl_lua_release(reply);
  return pushed;
}

/* Calls the method with the arguments on the stack, 1 to `top`. `self`: the first one, if it is known. */
static int run(lua_State *L, const struct cbl_lua_method *method, struct cbl_lua_handle *self, int top,
               struct cbl_lua_kept *kept, struct cbl_lua_handle *owner) {
  for (;;) {
    struct cbl_lua_call call;
    memset(&call, 0, offsetof(struct cbl_lua_call, scratch));
    call.kept = *kept;
    if (!self && method->self) self = lua_touserdata(L, 1);
    enum cbl_lua_verdict verdict;
    int pushed = try_call(L, method, self, top, &call, owner, &verdict);
    if (pushed >= 0) return pushed;
    *kept = call.kept;
    kept->ready = 0;
    owner = settle(L, top, kept, owner);
    if (verdict == CBL_LUA_COLLECT) {
      if (!kept->pending) *kept = (struct cbl_lua_kept){.is_retry = false};
      kept->has_collected = true;
      lua_gc(L, LUA_GCCOLLECT);
    } else if (method->self == CBL_LUA_TYPE_SOCKET && !method->ignores_waiter && cbl_lua_push_waiter(L)) {
      call_waiter(L, method, kept, owner != NULL);
    } else {
      cbl_lua_run_hooks(L);
    }
  }
}

static int invoke(lua_State *L, const struct cbl_lua_method *method, struct cbl_lua_handle *self) {
  struct cbl_lua_kept kept = {.is_retry = false};
  return run(L, method, self, lua_gettop(L), &kept, NULL);
}

/* The first argument, which must be an open handle of the method's type. */
static struct cbl_lua_handle *check_self(lua_State *L, const struct cbl_lua_method *method) {
  struct cbl_lua_handle *handle = cbl_lua_handle_at(L, 1, &cbl_lua_types[method->self]);
  if (!handle) raise_no_self(L, method);
  if (!handle->object) raise_closed(L, method);
  return handle;
}

/* Whether the only argument after self is the text that `ready` answers. */
static bool is_ready_for(lua_State *L, const struct cbl_lua_method *method) {
  size_t count;
  /* lua_tolstring would convert a number in place. */
  if (lua_type(L, 2) != LUA_TSTRING) return false;
  const char *text = lua_tolstring(L, 2, &count);
  return count == 1 && text[0] == method->ready_for;
}

/* Pushes the text that `ready` finds. Lua copies it before a finalizer can run and change the memory
 * that it is in. */
static bool push_ready(lua_State *L, const struct cbl_lua_method *method,
                       const struct cbl_lua_handle *self) {
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
    /* Such a method has no arguments. The error value that __close gets as its second may be a table of
     * any size: it is not read, so that closing cannot fail. */
    if (lua_gettop(L) > 1) lua_settop(L, 1);
    if (!self->object) {
      lua_pushboolean(L, method->answer_when_released);
      return 1;
    }
  }
  if (!self->object) return raise_closed(L, method);
  if (method->close_at_once && method->close_at_once(self->object)) {
    cbl_lua_release(self);
    lua_pushboolean(L, true);
    return 1;
  }
  return invoke(L, method, self);
}

/* --- net.connect_by_list --- */

static int return_all(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

/* Upvalues of a connector: first those of every method, the method and the metatable of what it makes; then the
 * function for all other calls, and whether the state has a waiter. */
enum { CONNECTOR_METHOD = 1, CONNECTOR_MADE, CONNECTOR_OTHERS, CONNECTOR_HAS_WAITER, CONNECTOR_UPVALUES = 4 };

/* A list and nothing else, as in most connects, needs neither a function of Lua nor a record of arguments: 550
 * instructions less. */
static int connector(lua_State *L) {
  if (lua_gettop(L) == 1 && !lua_toboolean(L, lua_upvalueindex(CONNECTOR_HAS_WAITER))) {
    struct cbl_lua_handle *list = cbl_lua_handle_at(L, 1, &cbl_lua_types[CBL_LUA_TYPE_LIST]);
    if (list && list->object) return invoke(L, &cbl_lua_connect_list_method, list);
  }
  lua_pushvalue(L, lua_upvalueindex(CONNECTOR_OTHERS));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, return_all);
  return return_all(L, LUA_OK, 0);
}

/* The connector of a state is in the registry; its key is the address of this. */
static const char connector_key;

int cbl_lua_new_connector(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushlightuserdata(L, (void *)(uintptr_t)&cbl_lua_connect_list_method);
  cbl_lua_push_metatable(L, CBL_LUA_TYPE_SOCKET);
  lua_pushvalue(L, 1);
  lua_pushboolean(L, false);
  lua_pushcclosure(L, connector, CONNECTOR_UPVALUES);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &connector_key);
  return 1;
}

void cbl_lua_tell_connector(lua_State *L, bool has_waiter) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &connector_key) == LUA_TFUNCTION) {
    lua_pushboolean(L, has_waiter);
    if (!lua_setupvalue(L, -2, CONNECTOR_HAS_WAITER)) lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* --- socket:lines --- */

/* The iterator. Upvalues: the number of formats, the socket, the formats. */
static int next_line(lua_State *L) {
  const struct cbl_lua_method *method = &cbl_lua_next_line_method;
  int count = (int)lua_tointeger(L, lua_upvalueindex(1));
  lua_settop(L, 0);
  luaL_checkstack(L, count + 1, "too many arguments");
  for (int i = 0; i <= count; i++) lua_pushvalue(L, lua_upvalueindex(2 + i));
  return invoke(L, method, check_self(L, method));
}

/* The iterator where `ready` may answer: without a format, or with the one that it answers. It checks no
 * format, and a loop over short lines does little else. */
static int next_ready_line(lua_State *L) {
  const struct cbl_lua_handle *self = lua_touserdata(L, lua_upvalueindex(2));
  return push_ready(L, &cbl_lua_next_line_method, self) ? 1 : next_line(L);
}

int cbl_lua_lines(lua_State *L) {
  const struct cbl_lua_method *method = &cbl_lua_lines_method;
  check_self(L, method);
  int count = lua_gettop(L) - 1;
  if (count > FORMATS_MAX) raise_argument(L, method, FORMATS_MAX + 2, "too many arguments");
  bool is_ready = count == 0 || (count == 1 && is_ready_for(L, &cbl_lua_next_line_method));
  invoke(L, method, NULL);
  lua_settop(L, count + 1);
  lua_pushinteger(L, count);
  lua_insert(L, 1);
  lua_pushcclosure(L, is_ready ? next_ready_line : next_line, count + 2);
  return 1;
}
