/* The tables: every type, every function, every method. A new Lua name is a row here, a function in
 * LuaModule, its declaration in cborder.h. */
#include "border.h"

const struct cbl_type cbl_types[CBL_TYPE_COUNT] = {
    [CBL_TYPE_LIST] = {"address list", cbl_lua_release_list},
    [CBL_TYPE_SOCKET] = {"socket", cbl_lua_release_socket},
    [CBL_TYPE_REPORT] = {"report", cbl_lua_release_report},
    [CBL_TYPE_PEER] = {"test endpoint", cbl_lua_release_peer},
    [CBL_TYPE_REPLY] = {"reply", cbl_lua_release_reply},
};

const struct cbl_row cbl_module_rows[] = {
    {.name = "address_list",
     .behind_face = true,
     .function = cbl_lua_list_new,
     .makes = CBL_TYPE_LIST},
    {.name = "address", .behind_face = true, .function = cbl_lua_address_parse},
    {.name = "address_text", .function = cbl_lua_address_text},
    {.name = "convert_address", .function = cbl_lua_address_convert},
    {.name = "connect_by_list",
     .behind_face = true,
     .function = cbl_lua_connect,
     .makes = CBL_TYPE_SOCKET,
     .makes_instead = CBL_TYPE_REPORT},
    {.name = "socket", .function = cbl_lua_socket_new, .makes = CBL_TYPE_SOCKET},
    {.name = "explain", .behind_face = true, .function = cbl_lua_explain, .replies = true},
    {.name = "local_addresses", .function = cbl_lua_local_addresses, .replies = true},
    {.name = "wrap", .function = cbl_lua_wrap, .makes = CBL_TYPE_SOCKET},
    {.name = "failed_report", .function = cbl_lua_report_new, .makes = CBL_TYPE_REPORT},
    {.name = "test_endpoint",
     .behind_face = true,
     .function = cbl_lua_peer_new,
     .makes = CBL_TYPE_PEER},
    {.name = NULL},
};

const struct cbl_row cbl_read_row = {
    .name = "read",
    .self = CBL_TYPE_SOCKET,
    .function = cbl_lua_socket_read,
    .ready = cbl_lua_socket_ready_line,
    .ready_for = 'l',
    .replies_to_many = true};

const struct cbl_row cbl_lines_row = {
    .name = "lines", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_lines};

/* What the iterator calls. */
const struct cbl_row cbl_next_line_row = {
    .name = "lines",
    .self = CBL_TYPE_SOCKET,
    .function = cbl_lua_socket_read,
    .ready = cbl_lua_socket_ready_line,
    .ready_for = 'l',
    .replies_to_many = true,
    .raises = true};

const struct cbl_row cbl_method_rows[] = {
    {.name = "add", .behind_face = true, .self = CBL_TYPE_LIST, .function = cbl_lua_list_add},
    {.name = "get", .self = CBL_TYPE_LIST, .function = cbl_lua_list_get},
    {.name = "remove", .behind_face = true, .self = CBL_TYPE_LIST, .function = cbl_lua_list_remove},
    {.name = "clear", .self = CBL_TYPE_LIST, .function = cbl_lua_list_clear},
    {.name = "history",
     .behind_face = true,
     .self = CBL_TYPE_LIST,
     .function = cbl_lua_list_history,
     .replies = true},
    {.name = "forget", .self = CBL_TYPE_LIST, .function = cbl_lua_list_forget},
    {.name = "count", .self = CBL_TYPE_LIST, .function = cbl_lua_list_count},

    {.name = "connect_by_list",
     .behind_face = true,
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_connect_socket,
     .makes_instead = CBL_TYPE_REPORT},
    {.name = "bind",
     .behind_face = true,
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_bind},
    {.name = "is_open",
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_is_open,
     .may_close = true},
    {.name = "receive_any", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_receive_any},
    {.name = "write", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_write, .as_text = true},
    {.name = "flush", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_flush},
    {.name = "setvbuf", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_setvbuf},
    {.name = "close",
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_close,
     .may_close = true},
    {.name = "shutdown", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_shutdown},
    {.name = "local_address",
     .behind_face = true,
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_local_address},
    {.name = "remote_address",
     .behind_face = true,
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_remote_address},
    {.name = "report",
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_report,
     .makes = CBL_TYPE_REPORT},
    {.name = "settimeout", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_settimeout},
    {.name = "gettimeout", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_gettimeout},
    {.name = "setoption", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_setoption},
    {.name = "getoption", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_getoption},
    {.name = "getfd", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_getfd},
    {.name = "setfd", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_setfd},
    {.name = "detach",
     .behind_face = true,
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_detach},
    {.name = "unread", .self = CBL_TYPE_SOCKET, .function = cbl_lua_socket_unread},
    {.name = "connected",
     .self = CBL_TYPE_SOCKET,
     .function = cbl_lua_socket_connected,
     .may_close = true},

    {.name = "table", .self = CBL_TYPE_REPORT, .function = cbl_lua_report_table, .replies = true},

    {.name = "address", .self = CBL_TYPE_PEER, .function = cbl_lua_peer_address},
    {.name = "accepted", .self = CBL_TYPE_PEER, .function = cbl_lua_peer_accepted},
    {.name = "close", .self = CBL_TYPE_PEER, .function = cbl_lua_peer_close, .may_close = true},
    {.name = NULL},
};
