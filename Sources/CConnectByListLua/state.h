/* What a host has set for a Lua state: which destinations its scripts may connect to, and how long they may
 * run.
 *
 * The record is found through the state's allocator. The debug library of a script can read and replace
 * whatever Lua itself holds for a state: the registry, upvalues, userdata and its metatables. It cannot reach
 * the allocator. */
#ifndef CBL_LUA_STATE_H
#define CBL_LUA_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cbl_lua_headers.h"

/* The limit of a protected call. Calls may be nested. */
struct cbl_lua_limit {
  int64_t deadline_ns; /* of CLOCK_MONOTONIC; INT64_MAX: none. Not after the outer call's */
  int cancel_fd;       /* the call ends when it is readable; -1: none. The outer call's if this one has none */
  const char *over;    /* why the call has ended; NULL: it has not */
  struct cbl_lua_limit *outer;
};

struct cbl_lua_state {
  lua_Alloc allocate; /* the allocator that was there before, and its argument */
  void *allocate_context;
  lua_State *main_thread; /* the record is freed with it; NULL: it is not known, or the record is the host's */
  void *policy;           /* an object of Swift; NULL: everything is allowed */
  struct cbl_lua_limit *limit; /* of the innermost call; NULL: no limit */
  size_t memory_max;           /* the most bytes that Lua may have; 0: no limit */
  size_t memory_used;          /* counted while there is a limit */
};

/* The allocator of a state that has a record, which is its argument. */
void *cbl_lua_allocate(void *context, void *block, size_t old_size, size_t size);

/* The record of a state, from any of its coroutines; NULL if it has none. */
static inline struct cbl_lua_state *cbl_lua_state_of(lua_State *L) {
  void *context;
  return lua_getallocf(L, &context) == cbl_lua_allocate ? context : NULL;
}

static inline void *cbl_lua_policy_of(lua_State *L) {
  struct cbl_lua_state *state = cbl_lua_state_of(L);
  return state ? state->policy : NULL;
}

/* The same, and makes the record first if there is none. Raises if there is no memory for it. */
struct cbl_lua_state *cbl_lua_need_state(lua_State *L);

/* Lua: allows no more than loopback addresses and Unix sockets for the rest of the state's life. */
int cbl_lua_only_loopback(lua_State *L);

/* --- limits, limit.c --- */

/* The limit that each wait of this state has: an instant of CLOCK_MONOTONIC in nanoseconds, INT64_MAX if there
 * is none. `fd`: a descriptor that is readable when the wait has to end; -1: none. After a wait that either
 * has ended, cbl_lua_check_limit raises. */
int64_t cbl_lua_wait_limit(lua_State *L, int *fd);

/* Raises if the time limit of the running call has passed or the call was cancelled; returns otherwise. */
void cbl_lua_check_limit(lua_State *L);

#endif
