/* The Lua files, embedded. */
#ifndef CBL_LUA_FILES_H
#define CBL_LUA_FILES_H

#include <stddef.h>

struct cbl_lua_file {
  const char *name;       /* as `require` names it */
  const char *chunk_name; /* the path in the folder `lua`, after "@": messages of the file begin with it */
  const unsigned char *text; /* not terminated */
  size_t size;
};

/* The files that scripts require. The program has them; beside the loadable module they are files. */
const struct cbl_lua_file *cbl_lua_modules(size_t *count);

/* The parts of `connectbylist`, which core.load loads. */
const struct cbl_lua_file *cbl_lua_parts(size_t *count);

#endif
