#ifndef CBL_HOST_PRELOAD_H
#define CBL_HOST_PRELOAD_H

#include "cbl_lua_headers.h"

/*
 * Makes `require` find the modules that are part of the program: the core and the Lua files. May raise.
 *
 * They are entries of `package.preload`, which `require` searches first, so that an installed copy of the
 * Lua files is never combined with this core. A script can replace an entry to use another copy.
 */
void cbl_host_preload(lua_State *L);

#endif
