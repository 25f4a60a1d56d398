#ifndef CBL_HOST_CHUNK_H
#define CBL_HOST_CHUNK_H

/* Runs chunks as Lua's own program does: with a traceback, and with SIGINT as an error. */

#include <stdbool.h>

#include "cbl_lua_headers.h"

/*
 * Writes a message to the standard error stream, after the program's name and a colon; `name` is NULL in
 * the interactive mode, whose messages have no name in front.
 */
void cbl_host_write_message(const char *name, const char *message);

/* Returns whether the status is LUA_OK. Otherwise pops the error value and writes it. */
bool cbl_host_report(lua_State *L, const char *name, int status);

/*
 * Calls the function below its arguments, as lua_pcall does, with the message handler that adds the
 * traceback. With `takes_interrupts`, SIGINT ends the call with the error "interrupted!". Returns
 * lua_pcall's status.
 */
int cbl_host_call(lua_State *L, int argument_count, int result_count, bool takes_interrupts);

#endif
