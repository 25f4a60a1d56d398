/* What the C half of a host calls in addition to connectbylist_lua.h. */
#ifndef CBL_LUA_HOST_H
#define CBL_LUA_HOST_H

struct lua_State;

/* Sets the policy of a state, an object of Swift that it takes over; NULL: everything is allowed. Returns 0; 2
 * where there is no memory: then the object is released. Never raises. */
int cbl_lua_set_policy(struct lua_State *L, void *policy);

#endif
