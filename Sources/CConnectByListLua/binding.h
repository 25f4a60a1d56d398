/* What the C files of the border share. */
#ifndef BORDER_H
#define BORDER_H

#include <stdbool.h>

#include "cbl_lua.h"
#include "cbl_lua_headers.h"

struct cbl_lua_type {
  const char *name; /* what messages and Lua's __name call it */
  void (*release)(void *object);
};

/* A userdata of ours. Made closed, with object NULL; Swift fills it last; released once. It is known by
 * its size and by the address of its type's method: so two copies of this module in one state, say the
 * host's and a loaded one, cannot be taken for each other, and to look costs a third of what it does to
 * compare metatables. */
struct cbl_lua_handle {
  const struct cbl_lua_type *type;
  void *object;
};

/* One Lua name. */
struct cbl_lua_method {
  /* Here, and no pointer to it: one is relocated when the module is loaded, which takes 24 bytes. */
  char name[16];
  cbl_lua_function function;
  cbl_lua_ready_function ready; /* tried first where there is no argument, or `ready_for` alone */
  char ready_for;           /* a text of this one character */
  enum cbl_lua_type_index self; /* of the first argument; CBL_LUA_TYPE_NONE: a plain function */
  enum cbl_lua_type_index makes;         /* a handle of this type */
  enum cbl_lua_type_index makes_instead; /* where it has failed, one of this type */
  bool replies;   /* may answer with a tree */
  bool replies_to_many; /* owns its results where there is more than one argument */
  bool as_text;   /* numbers among the arguments become text, as io.write has them */
  bool has_lua_wrapper; /* a function of lua/connectbylist.lua stands between it and the script */
  bool may_close; /* may be called on a closed one; takes no arguments */
  bool releases;  /* closes: the object is let go of at once, and not when the collector comes by */
  bool answer_when_released; /* what a method that may_close answers where there is no object */
  bool raises;    /* an iterator's: what a method returns as a failure is raised */
};

extern const struct cbl_lua_type cbl_lua_types[CBL_LUA_TYPE_COUNT];
/* Each ends with a method whose name is empty. */
extern const struct cbl_lua_method cbl_lua_functions[];
extern const struct cbl_lua_method cbl_lua_methods[];
extern const struct cbl_lua_method cbl_lua_read_method;
extern const struct cbl_lua_method cbl_lua_lines_method;
extern const struct cbl_lua_method cbl_lua_next_line_method;

/* The pointer goes first, so that whatever comes after finds a closed handle. */
static inline void cbl_lua_release(struct cbl_lua_handle *handle) {
  void *object = handle->object;
  handle->object = NULL;
  if (object) handle->type->release(object);
}

/* What the handle that a call makes is, until it has failed. */
static inline enum cbl_lua_type_index cbl_lua_made_type(const struct cbl_lua_method *method) {
  return method->makes ? method->makes : method->makes_instead;
}

/* Pushes the metatable of a type. */
void cbl_lua_push_metatable(lua_State *L, enum cbl_lua_type_index type);

/* The handle of this type at an index; NULL where there is none. */
static inline struct cbl_lua_handle *cbl_lua_handle_at(lua_State *L, int index, const struct cbl_lua_type *type) {
  struct cbl_lua_handle *handle = lua_touserdata(L, index);
  /* Of a light userdata the length is 0, and its pointer is not followed. */
  if (!handle || lua_rawlen(L, index) != sizeof *handle || handle->type != type) return NULL;
  return handle;
}

/* The Lua function of every method. Upvalues: the method, the metatable of what it makes. */
int cbl_lua_trampoline(lua_State *L);

/* socket:lines(...): returns the iterator. */
int cbl_lua_lines(lua_State *L);

#endif
