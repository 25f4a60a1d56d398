/* The modules that are part of the program. */

#include "preload.h"

#include "connectbylist_lua.h"

/* `connectbylist.simulation_core`: CConnectByListLuaSimulation and ConnectByListLuaSimulation. */
int luaopen_connectbylist_simulation_core(lua_State *L);

void cbl_host_preload(lua_State *L) {
  connectbylist_preload(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_connectbylist_simulation_core);
  lua_setfield(L, -2, "connectbylist.simulation_core");
  lua_pop(L, 1);
}
