/// The pairs from alternate sources that may be started, and which of them is the likeliest.
///
/// The chance of a pair is a product, L of its source and R of its remote, and both change while the race runs.
/// A heap of pairs would be out of date in all pairs of a source or of a remote after each silence. So there is
/// a row for each source, a heap of its remotes by R, or, where there are fewer remotes than sources, a row for
/// each remote, a heap of its sources by L. A silence changes the factor of one whole row, and one column: an
/// entry of a heap that is out of date is corrected when it comes to the top, as chances fall, and is inserted
/// again where one has risen. The likeliest pair is the best of the rows' tops, of which there are the fewer the
/// better: time for a start is that of the shorter side of the table.
struct AlternateSources: Sendable {
  /// Which remotes a set of rows has.
  enum Kind: Int, CaseIterable {
    /// Their alternates may start.
    case open
    /// Their alternates are held until their first pair has had time to answer.
    case held
    /// They have refused or rejected.
    case refused
  }

  /// The smaller goes first.
  struct Entry: Comparable, Sendable {
    /// `Chance.rank` of the column's factor when the entry was made.
    let rank: UInt64
    /// The place of a remote; of a source whether it was used, and its place.
    let place: Int64
    let column: Int32
    /// Of the remote when the entry was made: a remote that moves to another kind leaves its entries behind.
    let version: Int32

    static func < (a: Entry, b: Entry) -> Bool {
      a.rank != b.rank ? a.rank > b.rank : a.place < b.place
    }
  }

  /// A row for each local address, else a row for each remote.
  fileprivate var rowsAreLocals = true
  /// By `Kind`, and by row. Empty where the plan knows no local address.
  fileprivate var rows: [[Heap<Entry>]] = []
  /// By remote: a bit for each local index, set once that alternate was taken and was not put back. Empty for remotes
  /// none of whose alternates was taken. Every row asks for its top at each start, so it is no hash table: with 300
  /// sources and remotes a quarter of a plan's time was for hashing.
  private var started: [[UInt64]] = []
  fileprivate var classes: LocalClasses?
  /// How many pairs of all remotes were not started, tried remotes or not, and how many are of refused remotes.
  var leftCount = 0
  var refusedLeftCount = 0

  fileprivate func hasStarted(_ pair: Plan.Pair) -> Bool {
    let (remote, word) = (Int(pair.remote), Int(pair.local) / 64)
    guard remote < started.count, word < started[remote].count else { return false }
    return started[remote][word] & Self.bit(pair) != 0
  }

  fileprivate mutating func setStarted(_ pair: Plan.Pair, _ isStarted: Bool) {
    let (remote, word) = (Int(pair.remote), Int(pair.local) / 64)
    while started.count <= remote { started.append([]) }
    while started[remote].count <= word { started[remote].append(0) }
    if isStarted {
      started[remote][word] |= Self.bit(pair)
    } else {
      started[remote][word] &= ~Self.bit(pair)
    }
  }

  private static func bit(_ pair: Plan.Pair) -> UInt64 { 1 << UInt64(pair.local % 64) }
}

extension Plan {
  /// Counts the alternate pairs, and makes the rows of the remotes whose first pair was started.
  func fillAlternates() {
    tables!.alternates.rows = []
    tables!.alternates.leftCount = 0
    tables!.alternates.refusedLeftCount = 0
    guard options.allowsAlternateSources, !locals.addresses.isEmpty else { return }
    let classes = LocalClasses(locals, secret: hashSecret)
    tables!.alternates.classes = classes
    for index in remotes.indices {
      remotes[index].alternatesLeft = 0
      // Before the route's own source is known an alternate cannot be told from it.
      if case .all = options.locals, !remotes[index].hasPathInformation { continue }
      if remotes[index].isHopeless || remotes[index].pathInformation.isHere { continue }
      // A translated remote is one pair.
      if remotes[index].isTranslation { continue }
      let count = classes.locals(reaching: remotes[index].endpoint.address).count
      let hasOwn = hasUnfittingOwn(index)
      let source = remotes[index].source
      let isFirstAmongThem =
        source >= LocalTable.firstAddress
        && (locals.address(source).canReach(remotes[index].endpoint.address)
          || hasOwn && source == remotes[index].routesOwn)
      let left = count + (hasOwn ? 1 : 0) - (isFirstAmongThem ? 1 : 0)
      remotes[index].alternatesLeft = Int32(left) - remotes[index].alternatesStarted
      tables!.alternates.leftCount += Int(remotes[index].alternatesLeft)
      if remotes[index].isRefused {
        tables!.alternates.refusedLeftCount += Int(remotes[index].alternatesLeft)
      }
    }
    guard tables!.alternates.leftCount > 0 else { return }
    tables!.alternates.rowsAreLocals = locals.addresses.count <= remotes.count
    let rowCount = tables!.alternates.rowsAreLocals ? locals.addresses.count : remotes.count
    tables!.alternates.rows = AlternateSources.Kind.allCases.map { _ in
      Array(repeating: Heap(), count: rowCount)
    }
    for remote in remotes.indices where remotes[remote].isStarted { offer(Int32(remote)) }
  }

  /// Puts the alternates of a remote into the rows of its kind; where they were before they do not count.
  func offer(_ remote: Int32) {
    guard isPrepared, remotes[Int(remote)].alternatesLeft > 0, !tables!.alternates.rows.isEmpty
    else {
      return
    }
    remotes[Int(remote)].version += 1
    let target = remotes[Int(remote)]
    for local in tables!.alternates.classes!.locals(reaching: target.endpoint.address) {
      offer(local, target, remote)
    }
    if hasUnfittingOwn(Int(remote)) { offer(target.routesOwn, target, remote) }
  }

  private func offer(_ local: Int32, _ target: Remote, _ remote: Int32) {
    let pair = Pair(local: local, remote: remote, isFirst: false)
    if local == target.source || target.alternatesStarted > 0 && tables!.alternates.hasStarted(pair)
    {
      return
    }
    insert(local, remote)
  }

  /// Whether the route takes a source that does not count as one that can reach the remote: it can.
  private func hasUnfittingOwn(_ remote: Int) -> Bool {
    let own = remotes[remote].routesOwn
    return own >= LocalTable.firstAddress
      && !locals.address(own).canReach(remotes[remote].endpoint.address)
  }

  /// A held remote's alternates may start.
  func release(_ remote: Int32) {
    guard remotes[Int(remote)].isHeld else { return }
    remotes[Int(remote)].isHeld = false
    offer(remote)
  }

  /// A remote has refused, or the caller has rejected it.
  func noteRefused(_ remote: Int32) {
    let before = remotes[Int(remote)].chance
    remotes[Int(remote)].chance = Chance.afterDefiniteFailure
    if !remotes[Int(remote)].isRefused {
      remotes[Int(remote)].isRefused = true
      remotes[Int(remote)].isHeld = false
      tables?.alternates.refusedLeftCount += Int(remotes[Int(remote)].alternatesLeft)
    } else if before >= Chance.afterDefiniteFailure {
      return
    }
    offer(remote)
  }

  /// The likeliest alternate pair that may start; of equals the first in the order of remotes, then one from a
  /// source that was not used yet. `avoidingSuspects`: only from a source that is not suspect.
  func bestAlternate(avoidingSuspects: Bool, heldToo: Bool) -> Choice? {
    guard tables!.alternates.leftCount > 0, !tables!.alternates.rows.isEmpty else { return nil }
    var tops: [Choice] = []
    var most = 0.0
    for kind in AlternateSources.Kind.allCases where heldToo || kind != .held {
      for row in tables!.alternates.rows[kind.rawValue].indices {
        guard let pair = top(kind, row, avoidingSuspects: avoidingSuspects) else { continue }
        let chance = chance(of: pair)
        // Most rows are not the best by far.
        if Chance.isLikelier(most, than: chance) { continue }
        if Chance.isLikelier(chance, than: most) { tops.removeAll(keepingCapacity: true) }
        most = max(most, chance)
        tops.append(Choice(pair: pair, chance: chance, place: .alternate(kind, row: Int32(row))))
      }
    }
    var best: Choice?
    func consider(_ choice: Choice) {
      if Chance.isLikelier(most, than: choice.chance) { return }
      if let other = best, !goes(choice, before: other) { return }
      best = choice
    }
    for choice in tops {
      consider(choice)
      forEachNear(choice, avoidingSuspects: avoidingSuspects, consider)
    }
    return best
  }

  /// The pairs of a row that are as likely as its best although their ranks differ: their chances are the same but
  /// for less than one part in 10⁹. (Those under a pair of the same rank are not looked at.)
  private func forEachNear(
    _ choice: Choice, avoidingSuspects: Bool, _ body: (Choice) -> Void
  ) {
    guard case .alternate(let kind, let number) = choice.place else { return }
    let row = Int(number)
    let heap = tables!.alternates.rows[kind.rawValue][row]
    guard let first = heap.first else { return }
    heap.forEachNearFirst(where: { $0.rank != first.rank && first.rank - $0.rank <= 3 }) { entry in
      let pair = pair(entry, row)
      if isOutdated(entry, pair) || avoidingSuspects && locals[pair.local].isSuspect { return }
      body(Choice(pair: pair, chance: chance(of: pair), place: choice.place))
    }
  }

  private func isOutdated(_ entry: AlternateSources.Entry, _ pair: Pair) -> Bool {
    remotes[Int(pair.remote)].version != entry.version
      || remotes[Int(pair.remote)].alternatesStarted > 0 && tables!.alternates.hasStarted(pair)
  }

  /// Of two pairs that are equally likely.
  private func goes(_ a: Choice, before b: Choice) -> Bool {
    if a.pair.remote != b.pair.remote {
      return remotes[Int(a.pair.remote)].orderIndex < remotes[Int(b.pair.remote)].orderIndex
    }
    let isUsed = (locals[a.pair.local].isUsed, locals[b.pair.local].isUsed)
    return isUsed.0 != isUsed.1 ? !isUsed.0 : a.pair.local < b.pair.local
  }

  /// The best pair of a row.
  private func top(
    _ kind: AlternateSources.Kind, _ row: Int, avoidingSuspects: Bool
  ) -> Pair? {
    if tables!.alternates.rowsAreLocals {
      if avoidingSuspects && locals[LocalTable.firstAddress + Int32(row)].isSuspect { return nil }
      return correctedTop(kind, row).map { pair($0, row) }
    }
    guard avoidingSuspects else { return correctedTop(kind, row).map { pair($0, row) } }
    var suspects: [AlternateSources.Entry] = []
    var found: Pair?
    while found == nil, let entry = correctedTop(kind, row) {
      let pair = pair(entry, row)
      if locals[pair.local].isSuspect {
        suspects.append(entry)
        tables!.alternates.rows[kind.rawValue][row].removeFirst()
      } else {
        found = pair
      }
    }
    for entry in suspects { tables!.alternates.rows[kind.rawValue][row].insert(entry) }
    return found
  }

  private func pair(_ entry: AlternateSources.Entry, _ row: Int) -> Pair {
    tables!.alternates.rowsAreLocals
      ? Pair(
        local: LocalTable.firstAddress + Int32(row), remote: entry.column, isFirst: false)
      : Pair(local: entry.column, remote: Int32(row), isFirst: false)
  }

  private func correctedTop(_ kind: AlternateSources.Kind, _ row: Int) -> AlternateSources.Entry? {
    while let entry = tables!.alternates.rows[kind.rawValue][row].first {
      let pair = pair(entry, row)
      if isOutdated(entry, pair) {
        tables!.alternates.rows[kind.rawValue][row].removeFirst()
        continue
      }
      let now = self.entry(pair.local, pair.remote)
      if now.rank == entry.rank && now.place == entry.place { return entry }
      tables!.alternates.rows[kind.rawValue][row].replaceFirst(now)
    }
    return nil
  }

  private func entry(_ local: Int32, _ remote: Int32) -> AlternateSources.Entry {
    let (chance, version) = (remotes[Int(remote)].chance, remotes[Int(remote)].version)
    if tables!.alternates.rowsAreLocals {
      return AlternateSources.Entry(
        rank: Chance.rank(chance), place: Int64(remotes[Int(remote)].orderIndex), column: remote,
        version: version)
    }
    // Where R is 0 so is every chance of the row.
    return AlternateSources.Entry(
      rank: chance == 0 ? 0 : Chance.rank(locals.chance(local)),
      place: Int64(locals[local].isUsed ? 1 : 0) << 32 | Int64(local), column: local,
      version: version)
  }

  private func insert(_ local: Int32, _ remote: Int32) {
    let target = remotes[Int(remote)]
    let kind: AlternateSources.Kind =
      target.isRefused ? .refused : target.isHeld ? .held : .open
    let row = tables!.alternates.rowsAreLocals ? Int(local - LocalTable.firstAddress) : Int(remote)
    tables!.alternates.rows[kind.rawValue][row].insert(entry(local, remote))
  }

  /// Takes an alternate pair out, as it is started.
  func takeAlternate(_ pair: Pair) {
    tables!.alternates.setStarted(pair, true)
    countAlternate(pair.remote, -1)
  }

  /// Puts an alternate pair back that could not be started.
  func putBackAlternate(_ pair: Pair) {
    tables!.alternates.setStarted(pair, false)
    countAlternate(pair.remote, 1)
    insert(pair.local, pair.remote)
  }

  private func countAlternate(_ remote: Int32, _ change: Int32) {
    remotes[Int(remote)].alternatesLeft += change
    remotes[Int(remote)].alternatesStarted -= change
    tables!.alternates.leftCount += Int(change)
    if remotes[Int(remote)].isRefused { tables!.alternates.refusedLeftCount += Int(change) }
  }

  /// L of a source has risen: what its entries say is too low.
  func raiseAlternates() {
    guard !tables!.alternates.rows.isEmpty, !tables!.alternates.rowsAreLocals else { return }
    for remote in remotes.indices where remotes[remote].isStarted { offer(Int32(remote)) }
  }
}

extension ConnectOptions {
  /// Whether a remote may be tried from more than its first source.
  var allowsAlternateSources: Bool {
    if case .routeOnly = locals { return false }
    return true
  }
}

extension Plan {
  /// Whether an alternate source of a remote is held until its first pair has had time to answer.
  var holdsAlternates: Bool {
    guard case .all = options.locals else { return false }
    return options.pace == .accelerating || options.pace == .steady
  }

  /// Whether no alternate pair of another remote is left.
  func hasOnlyAlternates(of remote: Int32) -> Bool {
    alternatesLeft == Int(remotes[Int(remote)].alternatesLeft)
  }

  /// Why a pair cannot be started.
  func errno(ofHopeless pair: Pair) -> Errno {
    if case .refused(let errno) = remotes[Int(pair.remote)].pathInformation.route { return errno }
    return .addressNotAvailable
  }
}
