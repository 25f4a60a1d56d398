/* The Lua files that are embedded in the module and in the host. */
#ifndef CBL_LUA_FILES_H
#define CBL_LUA_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct cbl_lua_file {
  const char *name;       /* as `require` names it */
  const char *chunk_name; /* the path in the folder `lua`, after "@": messages of the file begin with it */
  bool is_module;         /* scripts require it; the others are loaded by core.load alone */
  const unsigned char *text; /* not terminated */
  size_t size;
};

/* All of them. */
const struct cbl_lua_file *cbl_lua_files(size_t *count);

#endif
