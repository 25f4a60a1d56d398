/* Shared by the C files of the binding. */
#ifndef CBL_LUA_BINDING_H
#define CBL_LUA_BINDING_H

#include <stdbool.h>

#include "cbl_lua.h"
#include "cbl_lua_headers.h"

struct cbl_lua_type {
  const char *name; /* in messages, and the metatable's __name */
  void (*release)(void *object);
};

/* A userdata of ours. C makes it closed, with object NULL; Swift stores the object last; it is released
 * once.
 *
 * A handle is recognised by its size and the address of its type, not by its metatable: two copies of
 * this module in one state, the host's and a loaded one, then refuse each other's handles. Comparing
 * metatables takes three times as many instructions. */
struct cbl_lua_handle {
  const struct cbl_lua_type *type;
  void *object;
};

/* One Lua name. */
struct cbl_lua_method {
  const char *name;
  const char *key; /* its field in the core or among the methods, where that is not the name that messages have */
  cbl_lua_function function;
  cbl_lua_ready_function ready; /* tried first if there is no argument, or only the text `ready_for` */
  char ready_for;               /* a text of this one character */
  cbl_lua_close_function close_at_once; /* of a `may_close` method: tried first */
  enum cbl_lua_type_index self; /* type of the first argument; CBL_LUA_TYPE_NONE: a plain function */
  enum cbl_lua_type_index makes;            /* a handle of this type */
  enum cbl_lua_type_index makes_on_failure; /* a handle of this type, if it fails */
  bool replies;         /* may answer with a tree */
  bool never_fails;     /* but for a lack of memory, which is raised as Lua raises it */
  bool replies_to_many; /* has an owner for its results if there is more than one argument */
  bool as_text;         /* converts numbers among the arguments to text, as io.write does */
  int wrapper_count;    /* how many functions, of lua/ and of this module, are between the script and this one */
  bool may_close;       /* may be called on a closed handle; has no arguments */
  bool releases;        /* releases the object when it returns, before any collection */
  bool answers_closed;  /* returns nil, "closed" where others raise, as LuaSocket's methods do */
  bool answer_when_released; /* the result of a `may_close` method if the object is released */
  bool ignores_waiter; /* waits in `poll` even if there is a waiter: lua/ has asked for that */
  /* For an iterator: the method that made it. A failure of the iterator is raised, and a bad argument of
   * its call was an argument of that method. */
  const char *iterator_of;
};

extern const struct cbl_lua_type cbl_lua_types[CBL_LUA_TYPE_COUNT];
/* Each ends with a method without a name. */
extern const struct cbl_lua_method cbl_lua_functions[];
extern const struct cbl_lua_method cbl_lua_methods[];
extern const struct cbl_lua_method cbl_lua_connect_method;
extern const struct cbl_lua_method cbl_lua_connect_list_method;
extern const struct cbl_lua_method cbl_lua_read_method;
extern const struct cbl_lua_method cbl_lua_lines_method;
extern const struct cbl_lua_method cbl_lua_next_line_method;

/* The pointer is cleared first: a finalizer that runs during the release finds a closed handle. */
static inline void cbl_lua_release(struct cbl_lua_handle *handle) {
  void *object = handle->object;
  handle->object = NULL;
  if (object) handle->type->release(object);
}

/* The type of the handle that a call makes, until it has failed. */
static inline enum cbl_lua_type_index cbl_lua_made_type(const struct cbl_lua_method *method) {
  return method->makes ? method->makes : method->makes_on_failure;
}

/* The handle of this type at an index; NULL if the value there is none. */
static inline struct cbl_lua_handle *cbl_lua_handle_at(lua_State *L, int index,
                                                       const struct cbl_lua_type *type) {
  struct cbl_lua_handle *handle = lua_touserdata(L, index);
  /* The length of a light userdata is 0: its pointer is not followed. */
  if (!handle || lua_rawlen(L, index) != sizeof *handle || handle->type != type) return NULL;
  return handle;
}

/* module.c */

/* Pushes the metatable of a type. */
void cbl_lua_push_metatable(lua_State *L, enum cbl_lua_type_index type);

/* Pushes the metatable of addresses. */
void cbl_lua_push_address_metatable(lua_State *L);

/* environment.c */

/* Pushes a table of the standard functions that the Lua files use: their global variables. It is made when the
 * module is loaded: a host need not have opened the libraries, and may remove functions from the globals later. */
void cbl_lua_push_environment(lua_State *L);

/* arguments.c */

/* How many values the arguments from `first` to `top` take, the fields of tables included. Raises if a
 * table has too many. */
size_t cbl_lua_count_arguments(lua_State *L, int first, int top);

/* Reads them into `values`. Allocates nothing. Raises if they take more than `capacity`. */
void cbl_lua_read_arguments(lua_State *L, int first, int top, struct cbl_lua_value *values,
                            size_t capacity);

/* Replaces the number at an index by its text, formatted as io.write does. */
void cbl_lua_number_to_text(lua_State *L, int index);

/* results.c */

/* Pushes the message of a call that failed, with the method's name before it. */
void cbl_lua_push_failure(lua_State *L, const struct cbl_lua_method *method,
                          const struct cbl_lua_call *call);

/* Pushes what a call that is done or has failed returns. `made` is the index of the handle that was made
 * for it. Returns how many values. */
int cbl_lua_push_results(lua_State *L, const struct cbl_lua_method *method,
                         const struct cbl_lua_call *call, enum cbl_lua_verdict verdict, int made);

/* wait.c */

/* Blocks until an event or the instant of `wait`. Returns true, with the events (0: none) in `ready`; false if
 * Lua code has to run before the waiting goes on: cbl_lua_run_hooks. Allocates nothing and does not raise. */
bool cbl_lua_block(lua_State *L, const struct cbl_lua_wait *wait, int *ready);

/* Runs a debug hook that is set, by Ctrl-C or by a limit, and checks the limits of the state. Raises what they
 * raise. */
void cbl_lua_run_hooks(lua_State *L);

/* Pushes the waiter of the socket at index 1, else the state's. Returns false, and pushes nothing, if there is
 * none. */
bool cbl_lua_push_waiter(lua_State *L);

/* Lua: setwait([function]), and socket:setwait([function]). */
int cbl_lua_set_waiter(lua_State *L);
int cbl_lua_set_socket_waiter(lua_State *L);
/* core.socket_waiter(socket): the socket's own waiter; nil: it has none. */
int cbl_lua_socket_waiter(lua_State *L);

/* call.c */

/* The Lua function of every method. Upvalues: the method, the metatable of what it makes. */
int cbl_lua_trampoline(lua_State *L);

/* core.connector(connect): the function connect_by_list of scripts. `connect`: the function of lua/ for the calls
 * that have a waiter, or something else than a list alone. */
int cbl_lua_new_connector(lua_State *L);

/* The state has a waiter from now on, or has none any more. */
void cbl_lua_tell_connector(lua_State *L, bool has_waiter);

/* socket:lines(...): returns the iterator. */
int cbl_lua_lines(lua_State *L);

#endif
