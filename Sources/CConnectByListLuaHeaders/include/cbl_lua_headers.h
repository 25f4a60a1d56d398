#ifndef CLUA_H
#define CLUA_H

/*
 * Lua's C API, wherever the system keeps it: Debian's liblua5.4-dev puts the headers into a folder
 * of their own, other systems (and a Lua built from source) straight onto the search path.
 *
 * A target with this header alone, and not a `systemLibrary`: that one asks pkg-config, which need
 * not be there, and would link liblua into the loadable module, where each symbol of Lua has to
 * come from the program that loads it.
 *
 * Only C includes this. A header that Swift imports must not: Lua's errors are jumps, and no Swift
 * frame may lie in their way.
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
