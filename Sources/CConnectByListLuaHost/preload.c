/*
 * The modules that are part of the program: each file of the folder `lua` that can be required, and
 * the C core. With their text in the program, `require "connectbylist"` works from any folder and
 * with no path set.
 */

#include "preload.h"

#include <string.h>

#include "cbl_host.h"

/* C23 has `#embed`; clang takes it in older C too and only wants to be told that it is meant. */
#pragma clang diagnostic ignored "-Wc23-extensions"

/* Opens the module `connectbylist.core`. The C half is in CConnectByListLua, the Swift half in ConnectByListLua. */
int luaopen_connectbylist_core(lua_State *L);

/*
 * One row a file. The zero at the end makes it a C string, also where the file is empty.
 * ConnectByListCommandTests compares this table with the folder.
 */
static const struct cbl_host_embedded files[] = {
  {"connectbylist", (const unsigned char[]){
#embed "../../lua/connectbylist.lua" suffix(,)
    0}},
  {"connectbylist.more", (const unsigned char[]){
#embed "../../lua/connectbylist/more.lua" suffix(,)
    0}},
  {"connectbylist.report", (const unsigned char[]){
#embed "../../lua/connectbylist/report.lua" suffix(,)
    0}},
  {"connectbylist.testing", (const unsigned char[]){
#embed "../../lua/connectbylist/testing.lua" suffix(,)
    0}},
};

const struct cbl_host_embedded *cbl_host_embedded_files(size_t *count) {
  *count = sizeof files / sizeof files[0];
  return files;
}

/*
 * Pushes the name of a file's chunk: its path in the folder `lua`, so that messages begin with
 * "connectbylist/testing.lua:12:" wherever the program was built.
 */
static const char *push_chunk_name(lua_State *L, const struct cbl_host_embedded *file) {
  const char *path = luaL_gsub(L, file->module, ".", "/");
  const char *name = lua_pushfstring(L, "@%s.lua", path);
  lua_remove(L, -2);
  return name;
}

/*
 * What `require` calls for an embedded file, with the module's name and ":preload:": runs the file
 * with the same arguments and returns what it returns. Compiling waits until here, so a script pays
 * only for the files it requires.
 */
static int open_embedded(lua_State *L) {
  const struct cbl_host_embedded *file = lua_touserdata(L, lua_upvalueindex(1));
  const char *text = (const char *)file->text;
  const char *name = push_chunk_name(L, file);
  if (luaL_loadbufferx(L, text, strlen(text), name, "t") != LUA_OK) return lua_error(L);
  lua_replace(L, -2); /* the name */
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

void cbl_host_preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_connectbylist_core);
  lua_setfield(L, -2, "connectbylist.core");
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    lua_pushlightuserdata(L, (void *)&files[i]);
    lua_pushcclosure(L, open_embedded, 1);
    lua_setfield(L, -2, files[i].module);
  }
  lua_pop(L, 1);
}
