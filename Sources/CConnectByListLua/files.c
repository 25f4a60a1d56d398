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
static const unsigned char drawing_text[] = {
#embed "../../lua/connectbylist/drawing.lua"
};
static const unsigned char json_text[] = {
#embed "../../lua/connectbylist/json.lua"
};
static const unsigned char list_text[] = {
#embed "../../lua/connectbylist/list.lua"
};
static const unsigned char report_text[] = {
#embed "../../lua/connectbylist/report.lua"
};
static const unsigned char socket_text[] = {
#embed "../../lua/connectbylist/socket.lua"
};
static const unsigned char testing_text[] = {
#embed "../../lua/connectbylist/testing.lua"
};

/* ConnectByListCommandTests compares this table with the folder. */
static const struct cbl_lua_file files[] = {
    {"connectbylist", "@connectbylist.lua", true, main_text, sizeof main_text},
    {"connectbylist.address", "@connectbylist/address.lua", false, address_text, sizeof address_text},
    {"connectbylist.drawing", "@connectbylist/drawing.lua", false, drawing_text, sizeof drawing_text},
    {"connectbylist.json", "@connectbylist/json.lua", false, json_text, sizeof json_text},
    {"connectbylist.list", "@connectbylist/list.lua", false, list_text, sizeof list_text},
    {"connectbylist.report", "@connectbylist/report.lua", false, report_text, sizeof report_text},
    {"connectbylist.socket", "@connectbylist/socket.lua", false, socket_text, sizeof socket_text},
    {"connectbylist.testing", "@connectbylist/testing.lua", true, testing_text, sizeof testing_text},
};

const struct cbl_lua_file *cbl_lua_files(size_t *count) {
  *count = sizeof files / sizeof files[0];
  return files;
}
