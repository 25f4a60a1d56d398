/* The interactive mode (manual section 7): `_PROMPT`, chunks of several lines, expressions, `= expr`. */

#include "interactive.h"

#include <stdio.h>
#include <string.h>

#include "chunk.h"

/* What a syntax error of an incomplete chunk ends with (`luaX_syntaxerror` in Lua's llex.c). */
#define END_OF_FILE "<eof>"

/* Reads a line with the prompt that the globals ask for and pushes it. False at the end of the input. */
static bool push_line(lua_State *L, struct cbl_host_line_reader *reader, bool is_first) {
  const char *prompt;
  if (lua_getglobal(L, is_first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL) {
    prompt = is_first ? "> " : ">> ";
  } else {
    prompt = luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
  }
  const char *line = cbl_host_read_line(reader, prompt);
  lua_pop(L, 1); /* the prompt */
  if (line == NULL) return false;
  /* Before Lua 5.3 an expression was written "= expr". */
  if (is_first && line[0] == '=')
    lua_pushfstring(L, "return %s", line + 1);
  else
    lua_pushstring(L, line);
  return true;
}

/* Compiles the line below as an expression. Pushes the function, or nothing. */
static bool load_expression(lua_State *L, struct cbl_host_line_reader *reader) {
  const char *line = lua_tostring(L, -1);
  const char *statement = lua_pushfstring(L, "return %s;", line);
  if (luaL_loadbuffer(L, statement, strlen(statement), "=stdin") != LUA_OK) {
    lua_pop(L, 2); /* the message, the statement */
    return false;
  }
  lua_remove(L, -2); /* the statement */
  cbl_host_remember_line(reader, line);
  return true;
}

/* Whether the compiler's message on the top says that the chunk is incomplete; then pops it. */
static bool is_incomplete(lua_State *L, int status) {
  if (status != LUA_ERRSYNTAX) return false;
  size_t size;
  const char *message = lua_tolstring(L, -1, &size);
  size_t end = sizeof END_OF_FILE - 1;
  if (size < end || strcmp(message + size - end, END_OF_FILE) != 0) return false;
  lua_pop(L, 1);
  return true;
}

/* Compiles the line below, with as many lines after it as it takes. Pushes the function or a message. */
static int load_statements(lua_State *L, struct cbl_host_line_reader *reader) {
  while (true) {
    size_t size;
    const char *line = lua_tolstring(L, 1, &size);
    int status = luaL_loadbuffer(L, line, size, "=stdin");
    bool incomplete = is_incomplete(L, status);
    if (!incomplete || !push_line(L, reader, false)) {
      /* At the end of the input the message is wanted after all. */
      if (incomplete) status = luaL_loadbuffer(L, line, size, "=stdin");
      cbl_host_remember_line(reader, line);
      return status;
    }
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
}

/* Replaces the stack by the next chunk or an error message. False at the end of the input. */
static bool load_chunk(lua_State *L, struct cbl_host_line_reader *reader, int *status) {
  lua_settop(L, 0);
  if (!push_line(L, reader, true)) return false;
  *status = load_expression(L, reader) ? LUA_OK : load_statements(L, reader);
  lua_remove(L, 1); /* the line */
  return true;
}

/* Prints the results on the stack with the global `print`. */
static void print_results(lua_State *L) {
  int count = lua_gettop(L);
  if (count == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  if (lua_pcall(L, count, 0, 0) == LUA_OK) return;
  const char *message = lua_tostring(L, -1);
  cbl_host_write_message(
    NULL, lua_pushfstring(L, "error calling 'print' (%s)", message ? message : "(null)"));
}

void cbl_host_interact(lua_State *L, struct cbl_host_line_reader *reader, bool takes_interrupts) {
  int status;
  while (load_chunk(L, reader, &status)) {
    if (status == LUA_OK) status = cbl_host_call(L, 0, LUA_MULTRET, takes_interrupts);
    if (status == LUA_OK)
      print_results(L);
    else
      cbl_host_report(L, NULL, status);
  }
  lua_settop(L, 0);
  fputc('\n', stdout);
  fflush(stdout);
}
