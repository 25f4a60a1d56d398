/* A C program that runs a Lua script which it does not trust: the script may connect to one network only, and has
 * a tenth of a second. Needs no network: the script opens the endpoint itself, on loopback.
 *
 *   swift run ConnectByListExampleEmbedC
 *   cc -I/usr/include/lua5.4 examples/embed.c -lconnectbylist_lua -llua5.4 -o embed && ./embed
 *                                           (with the archive installed)
 *
 * It prints:
 *
 *   echoed  hello
 *   denied  EACCES
 *   ended   by its time limit */
#include <stdio.h>
#include <stdlib.h>
#if __has_include(<lua5.4/lua.h>)
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#else
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#endif

#include "connectbylist_lua.h"

static const char script[] =
    "local net = require 'connectbylist'\n"
    "local echo <close> = require 'connectbylist.testing'.echo()\n"
    "local sock <close> = assert(net.connect_by_list({echo}, {timeout = 5}))\n"
    "sock:write 'hello\\n'\n"
    "print('echoed', sock:read 'l')\n"
    "print('denied', (select(3, net.connect_by_list {'169.254.169.254:80', '[::ffff:10.0.0.1]:80'})))\n"
    "while true do pcall(error) end\n";

/* The libraries that the script gets; no files, no processes, no `debug`. `require` finds the module alone. */
static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},          {LUA_LOADLIBNAME, luaopen_package}, {LUA_COLIBNAME, luaopen_coroutine},
    {LUA_TABLIBNAME, luaopen_table},    {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8},
};

/* Runs protected: what it calls may raise. */
static int open_libraries(lua_State *L) {
  for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
    luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
    lua_pop(L, 1);
  }
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_pushnil(L);
  lua_setfield(L, -2, "loadlib");
  connectbylist_preload(L);
  connectbylist_enable_limits(L);
  return 0;
}

int main(void) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return EXIT_FAILURE;

  char message[300];
  if (connectbylist_set_policy(L, "allow loopback", message, sizeof message) != 0) {
    fprintf(stderr, "the policy: %s\n", message);
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, open_libraries);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK || luaL_loadbufferx(L, script, sizeof script - 1, "=script", "t") != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return EXIT_FAILURE;
  }
  int status = connectbylist_pcall(L, 0, 0, 0, 100 * 1000000LL, -1);
  printf("ended\t%s\n", status == CONNECTBYLIST_TIME_LIMIT ? "by its time limit" : lua_tostring(L, -1));
  lua_close(L);
  return status == CONNECTBYLIST_TIME_LIMIT ? EXIT_SUCCESS : EXIT_FAILURE;
}
