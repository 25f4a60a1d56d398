/* The Lua files, as text in the program: they load without a descriptor, from any folder, and whatever
 * has become of `require` and `package.path`. */
#include "cbl_lua_files.h"

/* `#embed` is C23; clang accepts it in earlier C with this warning. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char main_text[] = {
#embed "../../lua/connectbylist.lua"
};
static const unsigned char address_text[] = {
#embed "../../lua/connectbylist/address.lua"
};
static const unsigned char dialect_text[] = {
#embed "../../lua/connectbylist/dialect.lua"
};
static const unsigned char drawing_text[] = {
#embed "../../lua/connectbylist/drawing.lua"
};
static const unsigned char drawing_options_text[] = {
#embed "../../lua/connectbylist/drawing_options.lua"
};
static const unsigned char entry_text[] = {
#embed "../../lua/connectbylist/entry.lua"
};
static const unsigned char explanation_text[] = {
#embed "../../lua/connectbylist/explanation.lua"
};
static const unsigned char json_text[] = {
#embed "../../lua/connectbylist/json.lua"
};
static const unsigned char list_text[] = {
#embed "../../lua/connectbylist/list.lua"
};
static const unsigned char list_entries_text[] = {
#embed "../../lua/connectbylist/list_entries.lua"
};
static const unsigned char local_addresses_text[] = {
#embed "../../lua/connectbylist/local_addresses.lua"
};
static const unsigned char mistakes_text[] = {
#embed "../../lua/connectbylist/mistakes.lua"
};
static const unsigned char operation_text[] = {
#embed "../../lua/connectbylist/operation.lua"
};
static const unsigned char luasocket_text[] = {
#embed "../../lua/connectbylist/luasocket.lua"
};
static const unsigned char luasocket_object_text[] = {
#embed "../../lua/connectbylist/luasocket_object.lua"
};
static const unsigned char luasocket_select_text[] = {
#embed "../../lua/connectbylist/luasocket_select.lua"
};
static const unsigned char race_rows_text[] = {
#embed "../../lua/connectbylist/race_rows.lua"
};
static const unsigned char report_text[] = {
#embed "../../lua/connectbylist/report.lua"
};
static const unsigned char names_text[] = {
#embed "../../lua/connectbylist/names.lua"
};
static const unsigned char socket_text[] = {
#embed "../../lua/connectbylist/socket.lua"
};
static const unsigned char socket_methods_text[] = {
#embed "../../lua/connectbylist/socket_methods.lua"
};
static const unsigned char svg_text[] = {
#embed "../../lua/connectbylist/svg.lua"
};
static const unsigned char text_text[] = {
#embed "../../lua/connectbylist/text.lua"
};
static const unsigned char simulation_text[] = {
#embed "../../lua/connectbylist/simulation.lua"
};
static const unsigned char testing_text[] = {
#embed "../../lua/connectbylist/testing.lua"
};
static const unsigned char tls_text[] = {
#embed "../../lua/connectbylist/tls.lua"
};
static const unsigned char wait_text[] = {
#embed "../../lua/connectbylist/wait.lua"
};

/* ConnectByListCommandTests compares these tables with the folder. A shared object whose `require` finds the
 * modules in files leaves `modules` out: nothing in it calls cbl_lua_modules. */

static const struct cbl_lua_file modules[] = {
    {"connectbylist", "@connectbylist.lua", main_text, sizeof main_text},
    {"connectbylist.luasocket", "@connectbylist/luasocket.lua", luasocket_text, sizeof luasocket_text},
    {"connectbylist.simulation", "@connectbylist/simulation.lua", simulation_text, sizeof simulation_text},
    {"connectbylist.testing", "@connectbylist/testing.lua", testing_text, sizeof testing_text},
    {"connectbylist.tls", "@connectbylist/tls.lua", tls_text, sizeof tls_text},
    {"connectbylist.wait", "@connectbylist/wait.lua", wait_text, sizeof wait_text},
};

static const struct cbl_lua_file parts[] = {
    {"connectbylist.address", "@connectbylist/address.lua", address_text, sizeof address_text},
    {"connectbylist.dialect", "@connectbylist/dialect.lua", dialect_text, sizeof dialect_text},
    {"connectbylist.drawing", "@connectbylist/drawing.lua", drawing_text, sizeof drawing_text},
    {"connectbylist.drawing_options", "@connectbylist/drawing_options.lua", drawing_options_text,
     sizeof drawing_options_text},
    {"connectbylist.entry", "@connectbylist/entry.lua", entry_text, sizeof entry_text},
    {"connectbylist.explanation", "@connectbylist/explanation.lua", explanation_text, sizeof explanation_text},
    {"connectbylist.json", "@connectbylist/json.lua", json_text, sizeof json_text},
    {"connectbylist.list", "@connectbylist/list.lua", list_text, sizeof list_text},
    {"connectbylist.list_entries", "@connectbylist/list_entries.lua", list_entries_text,
     sizeof list_entries_text},
    {"connectbylist.local_addresses", "@connectbylist/local_addresses.lua", local_addresses_text,
     sizeof local_addresses_text},
    {"connectbylist.luasocket_object", "@connectbylist/luasocket_object.lua", luasocket_object_text,
     sizeof luasocket_object_text},
    {"connectbylist.luasocket_select", "@connectbylist/luasocket_select.lua", luasocket_select_text,
     sizeof luasocket_select_text},
    {"connectbylist.mistakes", "@connectbylist/mistakes.lua", mistakes_text, sizeof mistakes_text},
    {"connectbylist.operation", "@connectbylist/operation.lua", operation_text, sizeof operation_text},
    {"connectbylist.race_rows", "@connectbylist/race_rows.lua", race_rows_text, sizeof race_rows_text},
    {"connectbylist.report", "@connectbylist/report.lua", report_text, sizeof report_text},
    {"connectbylist.names", "@connectbylist/names.lua", names_text, sizeof names_text},
    {"connectbylist.socket", "@connectbylist/socket.lua", socket_text, sizeof socket_text},
    {"connectbylist.socket_methods", "@connectbylist/socket_methods.lua", socket_methods_text,
     sizeof socket_methods_text},
    {"connectbylist.svg", "@connectbylist/svg.lua", svg_text, sizeof svg_text},
    {"connectbylist.text", "@connectbylist/text.lua", text_text, sizeof text_text},
};

const struct cbl_lua_file *cbl_lua_modules(size_t *count) {
  *count = sizeof modules / sizeof modules[0];
  return modules;
}

const struct cbl_lua_file *cbl_lua_parts(size_t *count) {
  *count = sizeof parts / sizeof parts[0];
  return parts;
}
