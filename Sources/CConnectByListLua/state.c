/* The records of Lua states, and their policies. */
#include "state.h"

#include <stdlib.h>

#include "cbl_lua.h"
#include "cbl_lua_host.h"
#include "connectbylist_lua.h"

/* Lua's block of a main thread, with the extra space in front of what a lua_State pointer refers to
 * (struct LX of lstate.c). It is the last block that lua_close frees. */
static void *main_block(const struct cbl_lua_state *state) {
  return (char *)state->main_thread - LUA_EXTRASPACE;
}

/* Whether a request keeps to the limit. If not, Lua collects garbage and tries again. */
static bool has_memory(struct cbl_lua_state *state, size_t old_size, size_t size) {
  size_t others = state->memory_used > old_size ? state->memory_used - old_size : 0;
  return size <= old_size || (size <= state->memory_max && others <= state->memory_max - size);
}

void *cbl_lua_allocate(void *context, void *block, size_t old_size, size_t size) {
  struct cbl_lua_state *state = context;
  /* Without a block its size says what is to be made. */
  size_t freed = block ? old_size : 0;
  if (state->memory_max && !has_memory(state, freed, size)) return NULL;
  void *result = state->allocate(state->allocate_context, block, old_size, size);
  if (state->memory_max && (result || size == 0)) state->memory_used += size - freed;
  if (size == 0 && block && state->main_thread && block == main_block(state)) {
    if (state->policy) cbl_lua_release_policy(state->policy);
    free(state);
  }
  return result;
}

/* The main thread; NULL if the registry's entry for it was replaced by another thread. */
static lua_State *main_thread_of(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_State *thread = lua_tothread(L, -1);
  lua_pop(L, 1);
  if (!thread || !lua_checkstack(thread, 1)) return NULL;
  bool is_main = lua_pushthread(thread) == 1;
  lua_pop(thread, 1);
  return is_main ? thread : NULL;
}

/* Returns NULL if there is no memory. */
static struct cbl_lua_state *make_state(lua_State *L) {
  struct cbl_lua_state *state = cbl_lua_state_of(L);
  if (state) return state;
  state = calloc(1, sizeof *state);
  if (!state) return NULL;
  state->main_thread = main_thread_of(L);
  state->allocate = lua_getallocf(L, &state->allocate_context);
  lua_setallocf(L, cbl_lua_allocate, state);
  return state;
}

struct cbl_lua_state *cbl_lua_need_state(lua_State *L) {
  luaL_checkstack(L, 2, NULL);
  struct cbl_lua_state *state = make_state(L);
  if (!state) luaL_error(L, "not enough memory");
  return state;
}

static void replace_policy(struct cbl_lua_state *state, void *policy) {
  void *before = state->policy;
  state->policy = policy;
  if (before) cbl_lua_release_policy(before);
}

int cbl_lua_only_loopback(lua_State *L) {
  struct cbl_lua_state *state = cbl_lua_need_state(L);
  replace_policy(state, cbl_lua_policy_on_loopback(state->policy));
  return 0;
}

int cbl_lua_set_policy(lua_State *L, void *policy) {
  struct cbl_lua_state *state = lua_checkstack(L, 2) ? make_state(L) : NULL;
  if (!state) {
    if (policy) cbl_lua_release_policy(policy);
    return 2;
  }
  replace_policy(state, policy);
  return 0;
}

int connectbylist_set_policy(lua_State *L, const char *rules, char *message, size_t message_size) {
  void *policy = NULL;
  if (rules && !(policy = cbl_lua_policy_new(rules, message, message_size))) return 1;
  return cbl_lua_set_policy(L, policy);
}

int connectbylist_set_memory_limit(lua_State *L, size_t bytes) {
  struct cbl_lua_state *state = lua_checkstack(L, 2) ? make_state(L) : NULL;
  if (!state) return 2;
  state->memory_max = bytes;
  state->memory_used = (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
  return 0;
}
