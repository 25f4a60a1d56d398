/* The Lua module for programs that embed Lua 5.4: link libconnectbylist_lua.a, which has the Lua files in it,
 * and libc and Lua's API are all that it needs. Or declare nothing and let scripts `require` the installed
 * module: then there is no policy and none of the limits below.
 *
 *   lua_State *L = luaL_newstate();
 *   luaL_openlibs(L);
 *   connectbylist_preload(L);
 *   char message[200];
 *   if (connectbylist_set_policy(L, "deny metadata private; allow any", message, sizeof message) != 0) ...
 *   connectbylist_enable_limits(L);
 *   if (luaL_loadfile(L, "script.lua") == LUA_OK) {
 *     int status = connectbylist_pcall(L, 0, 0, 0, 200000000, -1);
 *   }
 *   lua_close(L);
 *
 * Threads: a state is used by one thread at a time, as in all of Lua. Any number of states may be used at
 * once, each in its thread. */
#ifndef CONNECTBYLIST_LUA_H
#define CONNECTBYLIST_LUA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As lua.h declares it: this header does not need lua.h, nor does it matter which is included first. */
struct lua_State;

/* Opens the module's core, for luaL_requiref and package.preload under the name "connectbylist.core". */
int luaopen_connectbylist_core(struct lua_State *L);

/* Makes `require "connectbylist"` and `require "connectbylist.testing"` find what is linked in, also where no
 * path is set. It adds to the registry's table of preloaded modules: the library `package` may be opened
 * before it or after it. May raise, as lua_newtable does.
 *
 * Without `package` there is no `require`; then luaL_requiref(L, "connectbylist", connectbylist_open, 1) sets
 * the global variable `connectbylist`. */
void connectbylist_preload(struct lua_State *L);

/* Opens the module itself. It needs no library: what a script's functions use of `string`, `table`, `math` and
 * `utf8` the module brings along. */
int connectbylist_open(struct lua_State *L);

/* Sets which destinations the scripts of this state may connect to: text as the option `policy` of
 * connect_by_list.h has it, and `unix:/path`, `names`, `test-endpoints` in addition; NULL: everything. An
 * attempt to another destination fails with EACCES, before a packet is sent.
 *
 * No Lua code can see it or widen it, with the library `debug` neither. A script can narrow it, by
 * connectbylist.testing.only_loopback(). Not under it are the descriptors that a script brings to net.wrap,
 * io.popen, os.execute, and all other C modules, a second copy of this module included: a host that does not
 * trust its scripts does not give them `io`, `os`, `package.loadlib` and `package.cpath`.
 *
 * What is set for a state is found through its allocator, which this function replaces by one that calls it:
 * lua_getallocf gives another argument from then on.
 *
 * Returns 0; 1 where the text is malformed, with the reason in `message`, which may be NULL if `message_size`
 * is 0; 2 where there is no memory. Then the policy is as before. Never raises. */
int connectbylist_set_policy(struct lua_State *L, const char *rules, char *message, size_t message_size);

/* Limits the memory that Lua has for this state, in bytes; 0: no limit. Where more is requested, and a collection
 * does not help, the script gets Lua's memory error. What the module has for sockets and connects is not counted.
 * Returns 0; 2 where there is no memory. Never raises. */
int connectbylist_set_memory_limit(struct lua_State *L, size_t bytes);

/* What connectbylist_pcall returns beside Lua's own status: the call was ended by its limit. */
#define CONNECTBYLIST_TIME_LIMIT 100
#define CONNECTBYLIST_CANCELLED 101

#define CONNECTBYLIST_TIME_LIMIT_MESSAGE "time limit exceeded"
#define CONNECTBYLIST_CANCELLED_MESSAGE "cancelled"

/* Calls as lua_pcall does, for at most `time_limit_ns` nanoseconds (below 0: no limit), and until `cancel_fd` is
 * readable (an eventfd, a pipe; -1: none). Nothing is read from it. Returns lua_pcall's status, or one of the
 * two above; on an error its value is on the stack, nil where the script had caught the error.
 *
 * The limit ends Lua code, within about 0.1 ms, and every wait of this module. It raises an error, and raises
 * it again before each further instruction until this call has returned: a script that catches it executes
 * nothing more. Other C functions (string.find with a costly pattern, io.read, os.execute) end when they
 * return, and a finalizer (`__gc`), in which Lua calls no hook, likewise.
 *
 * Calls may be nested; the inner one never outlasts the outer one. It works by a count hook: a script with
 * limits takes up to twice the time. */
int connectbylist_pcall(struct lua_State *L, int argument_count, int result_count, int handler,
                        long long time_limit_ns, int cancel_fd);

/* Makes the limits hold in all coroutines of a state. Call it once, in the main coroutine, when the libraries
 * are open and no script has run: each coroutine that is made from then on has the hook. It also takes
 * debug.sethook away, which could remove the hook, and replaces `xpcall` by one that does not call a message
 * handler for the error of a limit. Without it the limits hold in the coroutine of the call and in those that
 * were made in a call with a limit, for scripts that do not try to escape them. May raise, as lua_setfield
 * does. */
void connectbylist_enable_limits(struct lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
