// A Swift program that runs Lua scripts which it does not trust: they may connect to one service only, and have a
// tenth of a second. Needs no network: the program opens the service itself, on loopback.
//
//   swift run ConnectByListExampleEmbedSwift
//
// It prints:
//
//   echoed  Ada,Grace
//   denied  169.254.169.254:80 EACCES
//   denied  [::ffff:10.0.0.1]:80 EACCES
//   denied  127.0.0.1:1 EACCES
//   ended   time limit exceeded
//   failed  script:1: attempt to index a nil value (local 't')
import ConnectByListLuaHost
import ConnectByListTesting

@main struct ConnectByListExampleEmbedSwift {
  static func main() throws {
    let service = try TestEndpoint(.echo)

    // 1. A state without files, processes or `debug`, in which `connectbylist` is open.
    let policy = try EgressPolicy("allow 127.0.0.1:\(service.endpoint.port)")
    let lua = try LuaState(.sandbox, policy: policy)

    // 2. Values go in and come out.
    try lua.setGlobal("service", .string(service.endpoint.text))
    let results = try lua.run(
      """
      local names = ...
      local sock <close> = assert(connectbylist.connect_by_list({service}, {timeout = 5}))
      sock:write(table.concat(names, ","), "\\n")
      function denied(entry) return (select(3, connectbylist.connect_by_list {entry})) end
      return sock:read "l"
      """, arguments: [["Ada", "Grace"]], timeLimit: .seconds(10))
    print("echoed  \(results[0].string ?? "nothing")")

    // 3. What the policy does not allow, however it is spelled.
    for entry in ["169.254.169.254:80", "[::ffff:10.0.0.1]:80", "127.0.0.1:1"] {
      let code = try lua.call("denied", [.string(entry)], timeLimit: .seconds(10))
      print("denied  \(entry) \(code[0].string ?? "")")
    }

    // 4. A script that does not end.
    do {
      try lua.run("while true do pcall(error) end", timeLimit: .milliseconds(100))
    } catch {
      print("ended   \(error.message)")
    }

    // 5. The error of a script.
    do { try lua.run("local t = nil; return t.field", name: "=script") } catch {
      print("failed  \(error.message)")
    }
  }
}
