#ifndef CBL_LUA_HEADERS_H
#define CBL_LUA_HEADERS_H

/*
 * Includes Lua's C API. Debian's liblua5.4-dev has the headers in a folder of their own; other systems,
 * and a Lua built from source, have them on the search path.
 *
 * This is a target with one header, not a `systemLibrary`. A systemLibrary needs pkg-config, and links
 * liblua into the loadable module, where Lua's symbols must come from the program that loads it.
 *
 * Only C files may include this header. Lua raises errors with longjmp: a header that Swift imports must
 * not let Swift call Lua.
 */

#if __has_include(<lua5.4/lua.h>)
#include <lua5.4/lua.h>
#include <lua5.4/lauxlib.h>
#include <lua5.4/lualib.h>
#elif __has_include(<lua.h>)
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#else
#error "lua.h not found: install Lua 5.4's headers (Debian, Ubuntu: apt-get install liblua5.4-dev)"
#endif

#if LUA_VERSION_NUM != 504
#error "lua.h is not Lua 5.4's: install its headers (Debian, Ubuntu: apt-get install liblua5.4-dev)"
#endif

#endif
