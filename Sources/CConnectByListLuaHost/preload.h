#ifndef CBL_HOST_PRELOAD_H
#define CBL_HOST_PRELOAD_H

#include "cbl_lua_headers.h"

/*
 * Makes `require` find the modules that are part of the program: those of connectbylist_preload and the
 * simulator. May raise.
 */
void cbl_host_preload(lua_State *L);

#endif
