import CConnectByListLua
import ConnectByList
import ConnectByListCore

/// A report as a Lua object.
package final class ReportBox {
  let report: ConnectReport
  init(_ report: ConnectReport) { self.report = report }

  /// The object of a Lua report, which `cbl_lua_push_report` in C takes over.
  package static func makeObject(_ report: ConnectReport) -> UnsafeMutableRawPointer {
    Unmanaged.passRetained(ReportBox(report)).toOpaque()
  }
}

/// The report as a table; lua/connectbylist/report.lua gives it its face.
@c @implementation public func cbl_lua_report_table(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let report = call.this(ReportBox.self).report
    let reply = Reply()
    reply.table(count: 10) {
      reply.set("elapsed", cbl_lua_value(report.elapsed.seconds))
      reply.set("deadline", cbl_lua_value(report.isDeadline))
      if let errno = report.errno { reply.set("code", nameOf(errno)) }
      if let isMultipath = report.isMultipath {
        reply.set("mptcp", cbl_lua_value(isMultipath ? "mptcp" : "fallback"))
      }
      reply.set("summary", report.summary())
      reply.key("names")
      reply.table(count: 2 * report.names.count) {
        var row = 0
        for name in report.names {
          for answer in name.answers {
            row += 1
            reply.add(cbl_lua_value(row))
            reply.table(count: 7) { add(answer, of: name.name, report, to: reply) }
          }
        }
      }
      reply.key("attempts")
      guard let race = report.race else {
        reply.table(count: 0) {}
        return
      }
      let rows = race.rows()
      let entries = race.nameEntries
      // By entries; -1: it is no name. Of several names of one entry the first is the list's own. The lookup of
      // the NAT64 prefix belongs to no entry.
      var names = [Int](repeating: -1, count: (entries.max() ?? -1) + 1)
      for (name, entry) in entries.enumerated() where entry >= 0 && names[entry] < 0 {
        names[entry] = name
      }
      reply.table(count: rows.count) {
        for (index, row) in rows.enumerated() {
          reply.add(cbl_lua_value(index + 1))
          reply.table(count: 16) { add(row, of: race, report, names, to: reply) }
        }
      }
      reply.set("rounds", cbl_lua_value(race.round))
      reply.set("not_started", cbl_lua_value(race.notStartedCount))
      if case .won(let winner) = report.result,
        let index = rows.firstIndex(where: { $0.attempt == winner })
      {
        reply.set("winner", cbl_lua_value(index + 1))
      }
    }
    try call.answer(reply)
  }
}

private func nameOf(_ errno: Errno) -> TextBuffer {
  var text = TextBuffer()
  text.append(errno)
  return text
}

extension Reply {
  /// What the plan says of a pair: the fields that a report and an explanation share.
  func addPair(_ row: ReportRow, of race: Race, local: Endpoint?) {
    set("local_address", local)
    let remote = race.plan.remote(of: row.pair)
    set("remote_address", remote, unixPath: race.plan.unixPaths[remote])
    set("rank", cbl_lua_value(row.rank))
    set("chance", cbl_lua_value(row.chance))
    key("reasons")
    let reasons = race.plan.reasons(for: row.pair)
    table(count: reasons.count) {
      for (index, reason) in reasons.enumerated() {
        add(cbl_lua_value(index + 1))
        add(copying: reason)
      }
    }
    set("entry", cbl_lua_value(race.plan.entry(of: row.pair) + 1))
  }

  /// How long silence of the pair starts the next, before it is divided by the attempts in flight, and why.
  func addDelay(_ row: ReportRow, of race: Race) {
    let patience = race.patience(row)
    set("delay", cbl_lua_value(patience.base.seconds))
    set("delay_reason", cbl_lua_value(patience.reason.word))
  }
}

extension Reply {
  /// Host and port of a name; none where its SRV records are asked for.
  func set(_ name: HostName) {
    key("host")
    add(copying: name.host)
    switch name.port {
    case .number(let port): set("port", cbl_lua_value(Int(port)))
    case .service(let service):
      key("port")
      add(copying: service)
    case .records: break
    }
  }
}

/// `names`: the number of the name of each entry that is one.
private func add(
  _ row: ReportRow, of race: Race, _ report: ConnectReport, _ names: [Int], to reply: Reply
) {
  let attempt = row.attempt.map { race.attempts[$0.index] }
  reply.addPair(row, of: race, local: attempt?.local ?? race.plan.local(of: row.pair))
  let entry = race.plan.entry(of: row.pair)
  if entry < names.count, names[entry] >= 0, names[entry] < report.names.count {
    reply.key("name")
    reply.add(copying: report.names[names[entry]].name.host)
  }
  reply.set("outcome", cbl_lua_value((attempt?.outcome ?? .notStarted).word))
  guard let attempt else { return }
  reply.addDelay(row, of: race)
  reply.set("started", cbl_lua_value(report.sinceCall(attempt.started).seconds))
  if let ended = attempt.ended {
    reply.set("ended", cbl_lua_value(report.sinceCall(ended).seconds))
  }
  if let errno = attempt.errno { reply.set("code", nameOf(errno)) }
  reply.set("resent", cbl_lua_value(Int(attempt.resentCount)))
  if attempt.isHedge { reply.set("hedge", cbl_lua_value(true)) }
}

/// How one question about a name was answered: host, port (none for SRV records), family ("srv" for these), started,
/// ended, addresses, code.
private func add(
  _ answer: NameResult.Answer, of name: HostName, _ report: ConnectReport, to reply: Reply
) {
  reply.set(name)
  let family: StaticString =
    switch answer.family {
    case .inet: "inet"
    case .inet6: "inet6"
    case .unix: "unix"
    case nil: "srv"
    }
  reply.set("family", cbl_lua_value(family))
  reply.set("started", cbl_lua_value(report.sinceCall(answer.started).seconds))
  if let ended = answer.ended { reply.set("ended", cbl_lua_value(report.sinceCall(ended).seconds)) }
  reply.set("addresses", cbl_lua_value(answer.count))
  if let failure = answer.failure { reply.set("code", nameOf(failure.errno)) }
}

/// A report of a connect that did not begin: its code.
@c @implementation public func cbl_lua_report_new(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let errno = Errno(name: try call.text(0)) ?? .invalidArgument
    call.add(made: ReportBox(ConnectReport(errno)))
  }
}

@c @implementation public func cbl_lua_release_report(_ object: UnsafeMutableRawPointer!) {
  Unmanaged<ReportBox>.fromOpaque(object).release()
}
