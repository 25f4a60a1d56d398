-- Builds the module with a Swift 6.3 toolchain (`swift` in PATH) and installs it:
--   luarocks make .packaging/connectbylist-scm-1.rockspec
rockspec_format = "3.0"
package = "connectbylist"
version = "scm-1"
source = {
  -- `luarocks make` builds the folder that it runs in.
  url = "git+file://.",
}
description = {
  summary = "Connects a socket to whichever of several addresses answers",
  detailed = [[
Tries every pair of a local and a remote address of a list, the likeliest first, raced under one strict deadline,
and reports what became of each attempt.]],
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.4, < 5.5" }
build = {
  type = "command",
  -- luarocks sets CC to gcc; the Swift package is compiled with the toolchain's own clang.
  build_command = "env -u CC CONNECTBYLIST_MODULE=1 swift build -c release --scratch-path .build/module"
    .. " && for core in core simulation_core; do"
    .. " cp .build/module/release/libconnectbylist_$core.so .build/module/$core.so; done",
  install = {
    lib = {
      ["connectbylist.core"] = ".build/module/core.so",
      ["connectbylist.simulation_core"] = ".build/module/simulation_core.so",
    },
    -- Every file of the folder `lua`; .ci/check-packaging compares.
    lua = {
      connectbylist = "lua/connectbylist.lua",
      ["connectbylist.address"] = "lua/connectbylist/address.lua",
      ["connectbylist.dialect"] = "lua/connectbylist/dialect.lua",
      ["connectbylist.drawing"] = "lua/connectbylist/drawing.lua",
      ["connectbylist.drawing_options"] = "lua/connectbylist/drawing_options.lua",
      ["connectbylist.entry"] = "lua/connectbylist/entry.lua",
      ["connectbylist.explanation"] = "lua/connectbylist/explanation.lua",
      ["connectbylist.json"] = "lua/connectbylist/json.lua",
      ["connectbylist.list"] = "lua/connectbylist/list.lua",
      ["connectbylist.list_entries"] = "lua/connectbylist/list_entries.lua",
      ["connectbylist.local_addresses"] = "lua/connectbylist/local_addresses.lua",
      ["connectbylist.luasocket"] = "lua/connectbylist/luasocket.lua",
      ["connectbylist.luasocket_object"] = "lua/connectbylist/luasocket_object.lua",
      ["connectbylist.luasocket_select"] = "lua/connectbylist/luasocket_select.lua",
      ["connectbylist.mistakes"] = "lua/connectbylist/mistakes.lua",
      ["connectbylist.operation"] = "lua/connectbylist/operation.lua",
      ["connectbylist.race_rows"] = "lua/connectbylist/race_rows.lua",
      ["connectbylist.report"] = "lua/connectbylist/report.lua",
      ["connectbylist.names"] = "lua/connectbylist/names.lua",
      ["connectbylist.simulation"] = "lua/connectbylist/simulation.lua",
      ["connectbylist.socket"] = "lua/connectbylist/socket.lua",
      ["connectbylist.socket_methods"] = "lua/connectbylist/socket_methods.lua",
      ["connectbylist.svg"] = "lua/connectbylist/svg.lua",
      ["connectbylist.testing"] = "lua/connectbylist/testing.lua",
      ["connectbylist.text"] = "lua/connectbylist/text.lua",
      ["connectbylist.tls"] = "lua/connectbylist/tls.lua",
      ["connectbylist.types"] = "lua/connectbylist/types.lua",
      ["connectbylist.wait"] = "lua/connectbylist/wait.lua",
    },
  },
}
