/* What the C files of the border share. */
#ifndef BORDER_H
#define BORDER_H

#include <stdbool.h>

#include "cborder.h"
#include "clua.h"

/* A userdata of ours. Made closed, with object NULL; Swift fills it last; released once. */
struct cbl_handle {
  void *object;
};

struct cbl_type {
  const char *name; /* what messages and Lua's __name call it */
  void (*release)(void *object);
};

/* One Lua name. */
struct cbl_row {
  const char *name;
  cbl_function function;
  enum cbl_type_index self; /* of the first argument; CBL_TYPE_NONE: a plain function */
  enum cbl_type_index makes[CBL_MADE_MAX];
  bool replies;   /* may answer with a tree */
  bool replies_to_many; /* owns its results where there is more than one argument */
  bool as_text;   /* numbers among the arguments become text, as io.write has them */
  bool behind_face; /* a function of lua/connectbylist.lua stands between it and the script */
  bool may_close; /* may be called on a closed one; takes no arguments */
  bool raises;    /* an iterator's: what a method returns as a failure is raised */
};

extern const struct cbl_type cbl_types[CBL_TYPE_COUNT];
/* Each ends with a row without a name. */
extern const struct cbl_row cbl_module_rows[];
extern const struct cbl_row cbl_method_rows[];
extern const struct cbl_row cbl_read_row;
extern const struct cbl_row cbl_lines_row;
extern const struct cbl_row cbl_next_line_row;

/* Pushes the metatable of a type. */
void cbl_push_metatable(lua_State *L, enum cbl_type_index type);

/* The Lua function of every row. Upvalues: the row, the metatable of self. */
int cbl_trampoline(lua_State *L);

/* socket:lines(...): returns the iterator. Upvalue: the metatable of a socket. */
int cbl_lines(lua_State *L);

#endif
