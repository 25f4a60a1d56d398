#ifndef CBL_HOST_VALUES_H
#define CBL_HOST_VALUES_H

/* Values between records and the Lua stack. Both functions may raise; the request owns what they allocate. */

#include "cbl_host_state.h"
#include "cbl_lua_headers.h"

/* Pushes the request's arguments and returns how many there are, a table counting as one. */
int cbl_host_push_arguments(lua_State *L, const struct cbl_host_request *request);

/* Adds the values from `first` to the top of the stack to the request's records. */
void cbl_host_add_values(lua_State *L, struct cbl_host_request *request, int first);

/* Makes `values` of the records. */
void cbl_host_seal_values(struct cbl_host_request *request);

#endif
