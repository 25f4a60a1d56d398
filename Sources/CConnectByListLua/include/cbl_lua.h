/* The binding between Lua and Swift, as Swift sees it. This header includes no Lua header: Swift cannot
 * raise a Lua error, and no Lua error jumps over a Swift frame.
 *
 * A call has three phases.
 *   read   C reads the arguments from the Lua stack into a cbl_lua_call. May raise; nothing is held yet.
 *   call   The Swift function works on the record. It cannot raise.
 *   write  C pushes the results. May raise (out of memory); by then a userdata on the Lua stack owns
 *          every resource of the call. */
#ifndef CBL_LUA_H
#define CBL_LUA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cbl_lua_kind {
  CBL_LUA_NIL,
  CBL_LUA_BOOLEAN, /* integer: 0 or 1 */
  CBL_LUA_INTEGER, /* integer, and the same in number */
  CBL_LUA_NUMBER,  /* number */
  CBL_LUA_TEXT,    /* bytes, count */
  CBL_LUA_NUMERAL, /* result: text of at most CBL_LUA_NUMERAL_MAX bytes that Lua converts to a number */
  CBL_LUA_OBJECT,  /* argument: a handle of ours; type, and the object in bytes (NULL: released) */
  CBL_LUA_MADE,    /* result: the handle made for this call */
  CBL_LUA_SELF,    /* result: the first argument */
  CBL_LUA_ADDRESS, /* result: an address, made of the four results after it: host, port, family and scope */
  CBL_LUA_TABLE,   /* count fields follow, a key and a value each, then CBL_LUA_END */
  CBL_LUA_END,
  CBL_LUA_OTHER /* argument: any other type; bytes, count: the type's name */
};

enum { CBL_LUA_NUMERAL_MAX = 200 /* Lua's L_MAXLENNUM */ };

struct cbl_lua_value {
  enum cbl_lua_kind kind;
  int type;
  const void *bytes;
  size_t count;
  int64_t integer;
  double number;
};

enum cbl_lua_type_index {
  CBL_LUA_TYPE_NONE,
  CBL_LUA_TYPE_LIST,
  CBL_LUA_TYPE_SOCKET,
  CBL_LUA_TYPE_REPORT,
  CBL_LUA_TYPE_TEST_ENDPOINT,
  CBL_LUA_TYPE_OPERATION,
  CBL_LUA_TYPE_RESOLUTION,
  CBL_LUA_TYPE_REPLY,   /* owns a tree of results while it is written */
  CBL_LUA_TYPE_PENDING, /* owns what a call keeps while Lua code runs between two tries */
  CBL_LUA_TYPE_COUNT
};

enum cbl_lua_verdict {
  CBL_LUA_DONE,   /* returns the results */
  CBL_LUA_FAILED, /* returns nil, message, code, and the results */
  CBL_LUA_MISUSE, /* raises: message, and the argument's number in bad_argument (0: none in particular) */
  CBL_LUA_CLOSED, /* raises: attempt to use a closed … */
  /* Swift never blocks. The binding waits for what `wait` says and makes the call again, with `is_retry`. */
  CBL_LUA_WAIT,
  /* Out of descriptors. The binding collects garbage, whose sockets and lists may hold some, and makes the call
   * again with `has_collected`; with `is_retry` too if it keeps an object. */
  CBL_LUA_COLLECT
};

enum { CBL_LUA_SCRATCH_MAX = 1024 };

/* What a call waits for: an event of the descriptor, or the instant. */
struct cbl_lua_wait {
  int fd;        /* -1: the instant alone */
  int events;    /* CBL_POSIX_READABLE, CBL_POSIX_WRITABLE */
  int64_t until; /* nanoseconds of CLOCK_MONOTONIC; INT64_MAX: for ever */
};

/* What a call keeps from one try to the next. All else is read again from the Lua stack. */
struct cbl_lua_kept {
  bool is_retry;
  bool has_collected;
  int ready;        /* the events that ended the wait; 0: none did, or it is not known; -errno: it failed */
  int64_t deadline; /* of a read or a write, fixed by the first try; as `until` */
  size_t progress;  /* bytes that a write has passed on */
  /* An object of the call, such as an operation. Swift stores it together with the verdict CBL_LUA_WAIT or
   * CBL_LUA_COLLECT and releases it, and stores NULL, with every other verdict. */
  void *pending;
};

struct cbl_lua_call {
  void *object; /* the object behind the first argument, where the method has a type; never NULL */
  const struct cbl_lua_value *arguments; /* without self; a table's fields follow it */
  size_t argument_count;                 /* a table counts as one */
  void *policy; /* the host's, for connects, name lookups and test endpoints; NULL: everything is allowed */
  struct cbl_lua_value *results;
  size_t result_max; /* at least 4, and at least the number of arguments */
  size_t result_count;
  /* Where Swift stores the object of the handle that the method makes, as its last act: on CBL_LUA_DONE
   * an object of the method's type `makes`, on CBL_LUA_FAILED one of `makes_on_failure`. */
  void **made;
  /* Where Swift stores the owner of the tree, or of the texts of several results; NULL: the method has no
   * such owner. Pushing one result may run finalizers, and those may use the same socket: where there are
   * several results, none may point into its buffer. */
  void **reply;
  const struct cbl_lua_value *tree; /* the last result, if not NULL */
  size_t tree_count;
  struct cbl_lua_wait wait; /* CBL_LUA_WAIT */
  struct cbl_lua_kept kept;
  int bad_argument;
  const char *code; /* CBL_LUA_FAILED; a literal */
  size_t code_count;
  size_t message_count; /* the message is the first bytes of scratch */
  /* CBL_LUA_FAILED: the message begins with the method's name, which C puts before it. False for what is
   * said of an argument's text, such as an entry of a list. */
  bool names_method;
  size_t scratch_count; /* bytes of scratch in use; results may point into it */
  char scratch[CBL_LUA_SCRATCH_MAX];
};

typedef enum cbl_lua_verdict (*cbl_lua_function)(struct cbl_lua_call *call);

/* Answers a call without a call record, whose filling costs more than finding a buffered line does.
 * Returns true with the result in `text`, which points into the object's memory; false if it has done
 * nothing, and the method is to be called. `object` is never NULL. */
struct cbl_lua_text {
  const void *bytes;
  size_t count;
};
typedef bool (*cbl_lua_ready_function)(void *object, struct cbl_lua_text *text);

/* Closes without a call record what has nothing to wait for. Returns false if it has done nothing, and the
 * method is to be called. `object` is never NULL. */
typedef bool (*cbl_lua_close_function)(void *object);

/* The functions, implemented in Swift (ConnectByListLua). */
void cbl_lua_release_list(void *object);
void cbl_lua_release_socket(void *object);
void cbl_lua_release_report(void *object);
void cbl_lua_release_test_endpoint(void *object);
void cbl_lua_release_reply(void *object);
void cbl_lua_release_operation(void *object);
void cbl_lua_release_resolution(void *object);
void cbl_lua_release_pending(void *object);

/* The policy of a text of rules; NULL if it is malformed, with the reason in `message`. */
void *cbl_lua_policy_new(const char *rules, char *message, size_t message_size);
/* A policy that allows the loopback addresses and Unix sockets which `policy` allows; NULL allows all. */
void *cbl_lua_policy_on_loopback(void *policy);
void cbl_lua_release_policy(void *policy);

enum cbl_lua_verdict cbl_lua_list_new(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_list_add(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_list_get(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_list_remove(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_list_clear(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_list_history(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_list_forget(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_list_count(struct cbl_lua_call *call);

enum cbl_lua_verdict cbl_lua_address_parse(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_address_text(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_address_convert(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_connect(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_connect_list(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_connect_by_name(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_resolution_new(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_resolution_advance(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_resolution_pollfd(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_resolution_timeout(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_resolution_wait(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_resolution_close(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_connect_socket(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_explain(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_sleep(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_now(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_poll(struct cbl_lua_call *call);

enum cbl_lua_verdict cbl_lua_operation_new(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_new_by_name(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_advance(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_take(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_accept(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_reject(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_conclude(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_failure(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_log(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_pollfd(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_events(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_timeout(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_cancel(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_report(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_wait(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_operation_close(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_local_addresses(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_wrap(struct cbl_lua_call *call);

enum cbl_lua_verdict cbl_lua_socket_new(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_bind(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_is_open(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_read(struct cbl_lua_call *call);
bool cbl_lua_socket_ready_line(void *object, struct cbl_lua_text *text);
bool cbl_lua_socket_close_at_once(void *object);
enum cbl_lua_verdict cbl_lua_socket_lines(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_receive_any(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_write(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_flush(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_setvbuf(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_close(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_shutdown(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_local_address(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_remote_address(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_connected_address(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_name(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_report(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_settimeout(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_gettimeout(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_setoption(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_getoption(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_getfd(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_setfd(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_detach(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_unread(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_connected(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_events(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_timeout(struct cbl_lua_call *call);

enum cbl_lua_verdict cbl_lua_socket_setdeadline(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_setmaxline(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_alive(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_buffered(struct cbl_lua_call *call);

enum cbl_lua_verdict cbl_lua_socket_receive(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_send(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_stats(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_dirty(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_socket_await(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_error_word(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_wall_clock(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_ready(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_poll_set(struct cbl_lua_call *call);

enum cbl_lua_verdict cbl_lua_report_new(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_report_table(struct cbl_lua_call *call);

enum cbl_lua_verdict cbl_lua_test_endpoint_new(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_test_endpoint_address(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_test_endpoint_accepted(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_test_endpoint_received(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_test_endpoint_failures(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_test_endpoint_set(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_test_endpoint_state(struct cbl_lua_call *call);
enum cbl_lua_verdict cbl_lua_test_endpoint_close(struct cbl_lua_call *call);

#endif
