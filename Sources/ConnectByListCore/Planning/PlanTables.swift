/// The tables of a plan that most connects never need: a plan over one remote, of which only the route's own choice
/// of the source is tried, has none of them.
final class PlanTables: @unchecked Sendable {
  /// By which remotes are ordered where the order is `likely`.
  var policyTable = PolicyTable.rfc6724
  /// What the kernel remembers, by source and destination.
  var metrics: Plan.Metrics
  /// Made when a delay needs it; `nil`: not yet.
  var population: Population?
  /// The endpoints of the remotes, for finding duplicates; `nil` until candidates are added to the plan.
  var endpoints: DistinctKeys<Endpoint>?
  /// Of a NAT64; `nil`: none is known.
  var prefix: TranslationPrefix?
  var groups = ServiceGroups()
  var queues = FirstPairQueues()
  var alternates = AlternateSources()
  /// What happened to attempts while their sources were not known.
  var undated: [(pair: Plan.Pair, event: ChanceEvent)] = []

  init(secret: HashSecret) { metrics = PairTable(secret: secret) }

  /// The same tables. The two share their contents until one of them changes.
  func copy() -> PlanTables {
    let copy = PlanTables(secret: metrics.secret)
    copy.policyTable = policyTable
    copy.metrics = metrics
    copy.population = population
    copy.endpoints = endpoints
    copy.prefix = prefix
    copy.groups = groups
    copy.queues = queues
    copy.alternates = alternates
    copy.undated = undated
    return copy
  }
}

extension Plan {
  /// The tables, which are made first where there are none.
  func neededTables() -> PlanTables {
    if let tables { return tables }
    let made = PlanTables(secret: hashSecret)
    tables = made
    return made
  }

  /// By which remotes are ordered where the order is `likely`. To be set before the first start.
  public var policyTable: PolicyTable {
    get { tables?.policyTable ?? .rfc6724 }
    set { neededTables().policyTable = newValue }
  }

  /// Of a NAT64; `nil`: none is known.
  var prefix: TranslationPrefix? { tables?.prefix }
}
