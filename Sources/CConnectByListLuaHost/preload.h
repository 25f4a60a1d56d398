#ifndef CBL_HOST_PRELOAD_H
#define CBL_HOST_PRELOAD_H

#include "cbl_lua_headers.h"

/*
 * Makes `require` find the modules that are part of the program: the C core and the Lua files. May
 * raise.
 *
 * They go into `package.preload`, which `require` asks first. So an installed copy of the same
 * modules is never mixed with this core: the program and its Lua files are of one version and stay
 * together. A script that wants another still can, by replacing the entry of `package.preload`.
 */
void cbl_host_preload(lua_State *L);

#endif
