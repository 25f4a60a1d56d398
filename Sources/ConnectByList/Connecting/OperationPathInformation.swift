import ConnectByListCore

// What the kernel is asked about the paths of a race, and when.

extension Operation {
  /// Answers the race's question. What is not known by the deadline stays unknown.
  ///
  /// Before the first start only the round trips of this list's pairs are read; those of other destinations
  /// (the population) cost a third of a millisecond at least, and are read once an attempt has been silent.
  func readPathInformation() {
    let isBeforeStart = race.attempts.isEmpty
    let metrics: PathInformationReader.Metrics =
      isBeforeStart || !usesPopulation ? .pairs(options.locals) : .population(options.locals)
    let information = reader.pathInformation(for: race.plan, metrics, until: race.deadline)
    let now = Clock.now()
    if now >= race.deadline && options.timeout != .zero {
      // To order many remotes would take time, too.
      return race.meetDeadline()
    }
    lacksPopulation = isBeforeStart && usesPopulation && !reader.hasReadAllMetrics
    race.update(information, at: now)
  }

  /// When the population is to be read; `distantFuture`: it has been, or nothing depends on it.
  ///
  /// No start is due within `minimum_delay` of another, whatever the population says, so what is read then is
  /// known in time for every pace.
  func populationDue() -> Instant {
    guard lacksPopulation, let newest = race.attempts.last, race.plan.hasPairsLeft else {
      return .distantFuture
    }
    return newest.started + options.minimumDelay
  }

  func readPopulation() {
    lacksPopulation = false
    var information = reader.known(for: race.plan)
    information.metrics = TCPMetrics.all(max: TCPMetrics.populationMax, until: race.deadline)
    race.update(information, at: Clock.now())
  }

  /// Whether a start may be paced by the round trips of other destinations.
  private var usesPopulation: Bool { options.pace == .accelerating && options.attemptDelay == nil }
}
