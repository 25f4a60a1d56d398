/* The module `connectbylist.simulation_core`: the simulator, with a core of its own. lua/connectbylist/simulation.lua
 * builds the public API on its two functions. */
#include "cbl_lua_headers.h"
#include "cbl_simulation.h"

#define ANSWER_TYPE "connectbylist simulation"

/* The answer is owned by a userdata before anything can raise: Lua's errors jump over C alone. */
static int release_answer(lua_State *L) {
  void **answer = luaL_checkudata(L, 1, ANSWER_TYPE);
  if (*answer) cbl_simulation_release(*answer);
  *answer = NULL;
  return 0;
}

static void push_text(lua_State *L, void *answer, int index) {
  struct cbl_simulation_text text = cbl_simulation_text_at(answer, index);
  lua_pushlstring(L, text.bytes, text.length);
}

/* The texts of the answer, or nil, message, "EINVAL". */
static int ask(lua_State *L, enum cbl_simulation_question question, int text_count) {
  size_t length;
  const char *scenario = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length <= CBL_SIMULATION_LENGTH_MAX, 1, "a scenario has at most 16 MiB");
  void **answer = lua_newuserdatauv(L, sizeof *answer, 0);
  *answer = NULL;
  luaL_setmetatable(L, ANSWER_TYPE);
  *answer = cbl_simulation_new(scenario, length, question);
  bool is_understood = cbl_simulation_is_understood(*answer);
  if (!is_understood) luaL_pushfail(L);
  for (int index = 0; index < (is_understood ? text_count : 1); index++) push_text(L, *answer, index);
  if (!is_understood) lua_pushliteral(L, "EINVAL");
  /* The texts may be long: they are not left for the garbage collector. */
  cbl_simulation_release(*answer);
  *answer = NULL;
  return is_understood ? text_count : 3;
}

static int simulate(lua_State *L) { return ask(L, CBL_SIMULATION_RUN, 2); }

static int explain(lua_State *L) { return ask(L, CBL_SIMULATION_EXPLAIN, 1); }

__attribute__((visibility("default"))) int luaopen_connectbylist_simulation_core(lua_State *L);

int luaopen_connectbylist_simulation_core(lua_State *L) {
  luaL_checkversion(L);
  if (luaL_newmetatable(L, ANSWER_TYPE)) {
    lua_pushcfunction(L, release_answer);
    lua_setfield(L, -2, "__gc");
  }
  static const luaL_Reg functions[] = {{"simulate", simulate}, {"explain", explain}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
