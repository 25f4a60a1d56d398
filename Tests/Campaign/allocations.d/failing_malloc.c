/* Preloaded: replaces malloc in a whole process, and makes chosen allocations fail. Also a Lua module, loaded from the
 * same file, with which a script chooses them.
 *
 * An allocation is of one of these kinds, by who asks for it:
 *   lua     Lua's own
 *   swift   an object or an array of Swift: malloc, called by our shared object or program. (Its C code has
 *           calloc and realloc alone.) Embedded Swift does not look at the result.
 *   c       our C code: every buffer whose size comes from input, threads, lookups
 *   system  the C library, for its own
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind { LUA, SWIFT, C, SYSTEM, KINDS };

static const char *const kind_names[] = {"lua", "swift", "c", "system", NULL};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

/* --- who asks --- */

enum owner { OWNER_OTHER, OWNER_OURS, OWNER_LUA, OWNER_LIBC };

static struct range {
  uintptr_t start, end;
  enum owner owner;
} ranges[256];
static int range_count;

static bool has_name(const char *path, const char *name) { return strstr(path, name) != NULL; }

static int add_range(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size, (void)context;
  const char *path = info->dlpi_name;
  char program[400] = "";
  if (path[0] == '\0' && range_count == 0) {
    ssize_t count = readlink("/proc/self/exe", program, sizeof program - 1);
    if (count > 0) path = program;
  }
  enum owner owner = OWNER_OTHER;
  if (has_name(path, "connectbylist")) owner = OWNER_OURS;
  if (has_name(path, "lua5.4")) owner = OWNER_LUA;
  if (has_name(path, "libc.so") || has_name(path, "ld-linux") || has_name(path, "libnss")) owner = OWNER_LIBC;
  for (int i = 0; i < info->dlpi_phnum && range_count < 256; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_X)) continue;
    uintptr_t start = info->dlpi_addr + header->p_vaddr;
    ranges[range_count++] = (struct range){start, start + header->p_memsz, owner};
  }
  return 0;
}

static void find_ranges(void) {
  range_count = 0;
  dl_iterate_phdr(add_range, NULL);
}

/* The program has Lua in it: what its Lua asks for is told by its realloc, which is Lua's or our C code's. */
static enum kind kind_of(void *caller, bool is_malloc) {
  uintptr_t at = (uintptr_t)caller;
  for (int i = 0; i < range_count; i++) {
    if (at < ranges[i].start || at >= ranges[i].end) continue;
    switch (ranges[i].owner) {
      case OWNER_OURS: return is_malloc ? SWIFT : C;
      case OWNER_LUA: return LUA;
      case OWNER_LIBC:
      case OWNER_OTHER: return SYSTEM;
    }
  }
  return SYSTEM;
}

/* --- which fail --- */

/* Shared with the parent, which reads it when a child has died. */
static struct shared {
  atomic_long counts[KINDS]; /* requests since the last `arm` */
  atomic_long failed[KINDS];
} *shared;

static atomic_bool is_armed;
static unsigned armed_kinds; /* bits */
static atomic_long requests;
static long first_failing, last_failing;

static bool fails(void *caller, bool is_malloc) {
  if (!atomic_load_explicit(&is_armed, memory_order_relaxed)) return false;
  enum kind kind = kind_of(caller, is_malloc);
  atomic_fetch_add(&shared->counts[kind], 1);
  if (!(armed_kinds & 1u << kind)) return false;
  long number = atomic_fetch_add(&requests, 1) + 1;
  if (number < first_failing || number > last_failing) return false;
  atomic_fetch_add(&shared->failed[kind], 1);
  return true;
}

/* --- what is live, without Lua's own --- */

enum { SLOTS = 1 << 18 };

static struct {
  atomic_flag lock;
  void *blocks[SLOTS]; /* open addressing; tombstones are the address 1 */
  long count;
} live = {.lock = ATOMIC_FLAG_INIT};

static bool has_lua_within;
static bool watches; /* from `watch` on */

static size_t slot_of(const void *block) { return ((uintptr_t)block >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 46; }

static void note_live(void *block, void *caller, bool is_malloc) {
  if (!watches || !block) return;
  enum kind kind = kind_of(caller, is_malloc);
  /* In a program with Lua in it our C code's cannot be told from Lua's, which come and go. */
  if (kind != SWIFT && (kind != C || has_lua_within)) return;
  while (atomic_flag_test_and_set(&live.lock)) continue;
  size_t slot = slot_of(block);
  while ((uintptr_t)live.blocks[slot] > 1) slot = (slot + 1) % SLOTS;
  live.blocks[slot] = block;
  live.count++;
  atomic_flag_clear(&live.lock);
}

static void note_freed(const void *block) {
  if (!watches || !block) return;
  while (atomic_flag_test_and_set(&live.lock)) continue;
  size_t slot = slot_of(block);
  while (live.blocks[slot] && live.blocks[slot] != block) slot = (slot + 1) % SLOTS;
  if (live.blocks[slot] == block) {
    live.blocks[slot] = (void *)1;
    live.count--;
  }
  atomic_flag_clear(&live.lock);
}

/* --- malloc --- */

void *malloc(size_t size) {
  void *caller = __builtin_return_address(0);
  if (fails(caller, true)) return errno = ENOMEM, NULL;
  void *block = __libc_malloc(size);
  note_live(block, caller, true);
  return block;
}

void *calloc(size_t count, size_t size) {
  void *caller = __builtin_return_address(0);
  if (fails(caller, false)) return errno = ENOMEM, NULL;
  void *block = __libc_calloc(count, size);
  note_live(block, caller, false);
  return block;
}

void *realloc(void *block, size_t size) {
  void *caller = __builtin_return_address(0);
  if (size > 0 && fails(caller, false)) return errno = ENOMEM, NULL;
  if (size > 0) note_freed(block);
  void *moved = __libc_realloc(block, size);
  if (size > 0) note_live(moved ? moved : block, caller, false);
  return moved;
}

void free(void *block) {
  note_freed(block);
  __libc_free(block);
}

void *memalign(size_t alignment, size_t size) {
  if (fails(__builtin_return_address(0), true)) return errno = ENOMEM, NULL;
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  void *caller = __builtin_return_address(0);
  if (fails(caller, true)) return errno = ENOMEM, NULL;
  void *block = __libc_memalign(alignment, size);
  note_live(block, caller, true);
  return block;
}

/* --- for the script --- */

/* arm(kinds, first, last): these requests of these kinds fail, counted together from now on. */
static int arm(lua_State *L) {
  find_ranges();
  armed_kinds = 0;
  for (int kind = 0; kind < KINDS; kind++) {
    if (has_name(luaL_checkstring(L, 1), kind_names[kind])) armed_kinds |= 1u << kind;
    shared->counts[kind] = 0;
    shared->failed[kind] = 0;
  }
  first_failing = (long)luaL_checkinteger(L, 2);
  last_failing = (long)luaL_checkinteger(L, 3);
  requests = 0;
  is_armed = true;
  return 0;
}

static int disarm(lua_State *L) {
  is_armed = false;
  lua_pushinteger(L, requests);
  return 1;
}

/* How many blocks of our code are live. */
static int count_live(lua_State *L) {
  find_ranges();
  watches = true;
  lua_pushinteger(L, live.count);
  return 1;
}

/* failed(kind) in the last child. */
static int count_failed(lua_State *L) {
  lua_pushinteger(L, shared->failed[luaL_checkoption(L, 1, NULL, kind_names)]);
  return 1;
}

/* in_child(body): the body's number as the exit status of a forked child, or nil and the number of the signal that
 * ended it; after 20 seconds that is SIGALRM. */
static int in_child(lua_State *L) {
  pid_t child = fork();
  if (child < 0) return luaL_error(L, "fork: %s", strerror(errno));
  if (child == 0) {
    alarm(20);
    lua_settop(L, 1);
    int status = lua_pcall(L, 0, 1, 0) == LUA_OK ? (int)lua_tointeger(L, -1) : 99;
    if (status == 99) {
      is_armed = false;
      const char *message = lua_tostring(L, -1);
      ssize_t written = write(2, message ? message : "?", message ? strlen(message) : 1);
      written = write(2, "\n", 1);
      (void)written;
    }
    _exit(status);
  }
  int status;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) return lua_pushinteger(L, WEXITSTATUS(status)), 1;
  lua_pushnil(L);
  lua_pushinteger(L, WTERMSIG(status));
  return 2;
}

int luaopen_failing_malloc(lua_State *L);

int luaopen_failing_malloc(lua_State *L) {
  static const luaL_Reg functions[] = {{"arm", arm},           {"disarm", disarm},     {"live", count_live},
                                       {"failed", count_failed}, {"in_child", in_child}, {NULL, NULL}};
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return luaL_error(L, "mmap: %s", strerror(errno));
  find_ranges();
  has_lua_within = ranges[0].owner == OWNER_OURS;
  luaL_newlib(L, functions);
  return 1;
}
