import ConnectByListCore

/// The real plan and the real race on a virtual clock, over a described world.
///
/// It drives the race as the driver on sockets does: it reports what happened, asks for steps until the race
/// waits, and then moves the clock to the next event of the world or to the instant that the race waits for.
/// At one instant completions come first, then the caller's cancel; the race itself puts the deadline after
/// them, and starts last. How an attempt ends is known when it starts, so each is an event or two in a queue,
/// and a race of ten attempts takes microseconds.
public struct Simulation: Sendable {
  /// How an attempt in flight will go on.
  private struct Flight {
    var local: Endpoint?
    var isRejected = false
    /// From the arrival of a SYN to its answer.
    var answersAfter: TimeSpan = .zero
    var resends = 0
    var started = Instant(nanoseconds: 0)
  }

  /// A pair as the network sees it. `Plan.Pair` is not that: the route's choice becomes an address while the
  /// race runs.
  private struct Path: Hashable {
    let local: Endpoint?
    let remote: Endpoint
  }

  private struct Lookup {
    let name: NameID
    let port: UInt16
    let answer: Scenario.Name.Answer
  }

  private let world: ScenarioWorld
  private var race: Race
  /// The rounds before.
  private var rounds: [Race] = []
  private let history: ConnectHistory
  private var openCount = 0
  private var now = Instant(nanoseconds: 0)
  private var lookups: [Lookup] = []
  private var queue = SimulationQueue()
  private var flights: [Flight] = []
  /// The scenario's description of each remote, by its index in the plan.
  private var places: [ScenarioWorld.Place] = []
  /// How many SYNs of a pair are still to be lost, counted over all its attempts: a second socket's first SYN
  /// is not lost because the first socket's was.
  private var synsToLose: [Path: Int] = [:]
  private var isCancelled = false

  /// - Parameter scenario: has at least one name, or one remote of the wanted family.
  public init(_ scenario: Scenario) {
    world = ScenarioWorld(scenario)
    precondition(
      !scenario.candidates().isEmpty || !scenario.names.isEmpty, "a scenario without a list")
    history = world.history(at: now)
    race = Race(
      plan: Self.plan(world, history), names: Self.names(scenario), at: Instant(nanoseconds: 0))
    race.asksForPrefix = scenario.translation != nil
    lookUpNames()
  }

  private static func plan(_ world: ScenarioWorld, _ history: ConnectHistory) -> Plan {
    var options = world.scenario.options
    options.validates = options.validates || world.scenario.rejectsSome
    return Plan(world.scenario.candidates(), options: options, history: history)
  }

  private static func names(_ scenario: Scenario) -> [PendingNames.Name] {
    var names: [PendingNames.Name] = []
    for (entry, listed) in scenario.list.enumerated() {
      guard case .name(let index) = listed else { continue }
      let name = scenario.names[index]
      names.append(
        name.isService
          ? PendingNames.Name(recordsOfEntry: Int32(entry))
          : PendingNames.Name(
            entry: Int32(entry), family: scenario.options.family ?? name.onlyFamily))
    }
    return names
  }

  /// Runs the race to its end.
  public consuming func run() -> Transcript {
    let result = drive()
    return Transcript(
      result: result, elapsed: now - race.began, race: race, rounds: rounds, world: world)
  }

  // MARK: driving

  private mutating func drive() -> RaceResult {
    var idleRounds = 0
    while true {
      deliver()
      switch takeSteps() {
      case .finish(let result): return result
      case .wait(let until):
        var next = until
        if let event = queue.next { next = min(next, event.time) }
        if let cancel = world.scenario.cancel, !isCancelled {
          next = min(next, race.began + cancel)
        }
        // With a timeout of 0 the race waits once for an instant that has passed.
        idleRounds = next > now || queue.next?.time == now ? 0 : idleRounds + 1
        precondition(
          idleRounds < 3 + race.attempts.count, "the race waits for an instant that has passed")
        precondition(next != .distantFuture, "the race waits for an event that cannot come")
        now = max(now, next)
      }
    }
  }

  private enum Pause {
    case wait(until: Instant)
    case finish(RaceResult)
  }

  /// Performs the race's steps until it waits or finishes.
  private mutating func takeSteps() -> Pause {
    while true {
      switch race.nextStep(at: now) {
      case .needsPathInformation: update()
      case .lookUp(let lookup): lookUp(lookup)
      case .start(let id): start(id)
      case .abandon(let id):
        note(id)
        openCount -= 1
      case .validate(let id):
        if flights[id.index].isRejected { openCount -= 1 }
        race.handle(flights[id.index].isRejected ? .rejected(id) : .accepted(id), at: now)
      case .nextRound: beginRound()
      case .wait(let until): return .wait(until: until)
      case .finish(let result): return .finish(result)
      }
    }
  }

  /// The names are looked up anew. SYNs that were to be lost once are not lost again.
  private mutating func beginRound() {
    rounds.append(race)
    race = Race(
      after: race, plan: Self.plan(world, history), names: Self.names(world.scenario), at: now)
    race.asksForPrefix = world.scenario.translation != nil
    queue = SimulationQueue()
    lookups = []
    flights = []
    places = []
    lookUpNames()
    deliver()
  }

  /// Reports all that this instant brings: completions, then the cancel.
  private mutating func deliver() {
    while let event = queue.next, event.time <= now {
      queue.removeNext()
      if case .answer = event.happening {
        answer(lookups[Int(event.subject)])
        continue
      }
      let id = AttemptID(event.subject)
      // The race may have closed its socket meanwhile.
      guard race.attempts[id.index].outcome == .pending else { continue }
      switch event.happening {
      case .connected:
        note(id)
        race.handle(.connected(id), at: now)
      case .failed(let errno):
        note(id)
        openCount -= 1
        race.handle(.failed(id, errno, synchronous: false), at: now)
      case .syn: takeSyn(id)
      case .answer: break
      }
    }
    if let cancel = world.scenario.cancel, !isCancelled, race.began + cancel <= now {
      isCancelled = true
      race.handle(.cancelled, at: now)
    }
  }

  // MARK: attempts

  private mutating func start(_ id: AttemptID) {
    let pair = race.attempts[id.index].pair
    let remote = race.plan.remote(of: pair)
    let place = place(ofRemote: Int(pair.remote))
    let local =
      place.hasNoRoute
      ? nil : race.plan.local(of: pair) ?? place.source.map { Endpoint($0, port: 0) }
    var behaviour = world.behaviour(
      local: local?.address, remote: remote, at: place, isBound: race.plan.bindsLocal(pair))
    if let most = world.scenario.descriptorCount, openCount >= most {
      behaviour = .failsAtOnce(.tooManyOpen)
    }
    // The number of an attempt that could not be started for want of a descriptor is used again, and pairs without
    // a route need no socket.
    while flights.count <= id.index { flights.append(Flight()) }
    var flight = Flight(local: local, started: now)
    switch behaviour {
    case .failsAtOnce(let errno):
      flights[id.index] = flight
      note(id)
      race.handle(.failed(id, errno, synchronous: true), at: now)
      return
    case .answers(let after): schedule(.connected, id, after: after)
    case .rejects(let after):
      flight.isRejected = true
      schedule(.connected, id, after: after)
    case .fails(let errno, let after): schedule(.failed(errno), id, after: after)
    case .silent: schedule(.failed(.timedOut), id, after: Scenario.kernelLimit)
    case .loses(let count, let answersAfter):
      flight.answersAfter = answersAfter
      let path = Path(local: local, remote: remote)
      if synsToLose[path] == nil { synsToLose[path] = count }
      schedule(.failed(.timedOut), id, after: Scenario.kernelLimit)
      schedule(.syn, id, after: .zero)
    }
    flights[id.index] = flight
    openCount += 1
  }

  /// Tells the race what the driver would read from the attempt's socket at its end.
  private mutating func note(_ id: AttemptID) {
    let age = now - race.attempts[id.index].started
    let resentCount = Int32(Scenario.resends.count { $0 <= age })
    race.note(id, local: flights[id.index].local, resentCount: resentCount)
  }

  /// A SYN is lost, and the kernel will send another, or it is answered.
  private mutating func takeSyn(_ id: AttemptID) {
    let flight = flights[id.index]
    let path = Path(
      local: flight.local, remote: race.plan.remote(of: race.attempts[id.index].pair))
    guard let left = synsToLose[path], left > 0 else {
      schedule(.connected, id, after: flight.answersAfter)
      return
    }
    synsToLose[path] = left - 1
    // After the last resend the kernel waits for its limit.
    guard flight.resends < Scenario.resends.count else { return }
    queue.insert(.syn, of: id.number, at: flight.started + Scenario.resends[flight.resends])
    flights[id.index].resends += 1
  }

  // MARK: names

  /// Queues the answers of all names.
  private mutating func lookUpNames() {
    let wanted = world.scenario.options.family
    for (index, name) in world.scenario.names.enumerated() {
      let id = NameID(Int32(index))
      var asked = name.answers.filter {
        wanted == nil || $0.family == nil || $0.family == wanted
      }
      if asked.isEmpty, let wanted {
        // Described for the other family only: the resolver then answers that this one has no address.
        asked = [Scenario.Name.Answer(wanted, after: name.answers[0].after, [], errno: Errno(-5))]
      }
      for answer in asked {
        queue.insert(.answer, of: Int32(lookups.count), at: now + answer.after)
        lookups.append(Lookup(name: id, port: name.port, answer: answer))
      }
    }
  }

  /// A name that the race itself has to have looked up.
  private mutating func lookUp(_ lookup: Race.Lookup) {
    for answer in world.scenario.answers(to: lookup) {
      queue.insert(.answer, of: Int32(lookups.count), at: now + answer.after)
      lookups.append(Lookup(name: lookup.name, port: lookup.host.number, answer: answer))
    }
    deliver()
  }

  private mutating func answer(_ lookup: Lookup) {
    let (id, answer) = (lookup.name, lookup.answer)
    if let errno = answer.errno {
      race.handle(.unresolved(id, family: answer.family, errno), at: now)
    } else if !answer.records.isEmpty {
      race.handle(.services(id, answer.records, seed: world.scenario.options.seed), at: now)
    } else {
      let endpoints = answer.addresses.map { Endpoint($0, port: lookup.port) }
      race.handle(.resolved(id, family: answer.family, endpoints), at: now)
    }
  }

  // MARK: path information

  private mutating func update() {
    var pathInformation = PathInformation(
      locals: world.scenario.locals, remotes: [], metrics: world.metrics)
    pathInformation.remotes.reserveCapacity(race.plan.remoteCount)
    for index in 0..<race.plan.remoteCount {
      pathInformation.remotes.append(
        race.plan.isUnknown(index)
          ? world.pathInformation(of: race.plan.endpoint(at: index), at: place(ofRemote: index))
          : RemotePathInformation())
    }
    race.update(pathInformation, at: now)
  }

  private mutating func place(ofRemote index: Int) -> ScenarioWorld.Place {
    while places.count <= index {
      places.append(world.place(of: race.plan.endpoint(at: places.count)))
    }
    return places[index]
  }

  // MARK: the queue

  private mutating func schedule(
    _ happening: SimulationQueue.Happening, _ id: AttemptID, after delay: TimeSpan
  ) {
    queue.insert(happening, of: id.number, at: now + delay)
  }
}
