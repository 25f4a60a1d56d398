#ifndef CBL_HOST_SANDBOX_H
#define CBL_HOST_SANDBOX_H

#include "cbl_lua_headers.h"

/*
 * Takes out of the open libraries what a script could escape by:
 *
 * - `dofile` and `loadfile`, which read files;
 * - precompiled chunks, which can crash the interpreter: `load` takes text only;
 * - finalizers, in which Lua calls no hook, so that no limit ends them: `setmetatable` refuses a metatable
 *   with a field `__gc`, and `getmetatable` gives none of a userdata, whose `__gc` could be replaced.
 *
 * The module has to be open: it uses `getmetatable` of its objects. May raise.
 */
void cbl_host_restrict(lua_State *L);

#endif
