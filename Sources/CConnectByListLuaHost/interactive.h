#ifndef CBL_HOST_INTERACTIVE_H
#define CBL_HOST_INTERACTIVE_H

#include <stdbool.h>

#include "cbl_lua_headers.h"
#include "line_reader.h"

/*
 * The interactive mode of Lua's own program: reads chunks, runs them and prints their results, until the
 * end of the input. Uses the whole stack. May raise when memory runs out; the reader stays the caller's.
 */
void cbl_host_interact(lua_State *L, struct cbl_host_line_reader *reader, bool takes_interrupts);

#endif
