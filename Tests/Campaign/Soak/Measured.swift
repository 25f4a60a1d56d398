import CConnectByListSoak
import Glibc

/// What the process holds while nothing is at work in it.
struct Measured {
  private let found: cbl_soak_measures

  /// How much more it may be: threads, and bytes of resident memory.
  private let threadsMax: Int
  private let residentMax: Int

  /// How many more bytes may be allocated. It was seen to be 20 KiB in ten minutes: the Swift runtime takes 16 KiB at
  /// once for the metadata of generic types.
  private static let heapMax = 64 << 10

  /// How many free blocks Dispatch, on which the tasks run, keeps for a thread: its cache's limit.
  private static let dispatchBlocksMax = 1024

  /// What this process holds.
  static func now() -> Measured { Measured() }

  private init() {
    found = cbl_soak_measure()
    // The pool of the tasks has a thread for each processor, and ends and starts them as it likes.
    threadsMax = sysconf(CInt(_SC_NPROCESSORS_ONLN))
    residentMax = 16 << 20
  }

  /// What a process of stock lua5.4 holds, seen from outside. It has one thread, and nothing but its own memory.
  init(process: CInt) {
    found = cbl_soak_measure_process(Int(process))
    threadsMax = 0
    residentMax = 1 << 20
  }

  var text: String {
    "\(found.descriptors) descriptors, \(found.threads) threads, "
      + (found.heap > 0
        ? "\(found.heap) bytes allocated, \(found.dispatch_blocks) blocks of Dispatch, " : "")
      + "\(found.resident >> 10) KiB resident"
  }

  /// What has grown since `before`, in words; `nil`: nothing.
  ///
  /// Descriptors must be as many as before. The heap may grow by `heapMax` however long it works; Dispatch by what its
  /// threads may keep.
  func growth(since before: Measured) -> String? {
    let old = before.found
    if found.descriptors > old.descriptors {
      return "\(found.descriptors - old.descriptors) descriptors are left"
    }
    if found.threads > old.threads + threadsMax {
      return "\(found.threads - old.threads) threads are left"
    }
    if found.heap > old.heap + Self.heapMax { return "\(found.heap - old.heap) bytes are left" }
    if found.dispatch_blocks > old.dispatch_blocks + Self.dispatchBlocksMax * found.threads {
      return "Dispatch holds \(found.dispatch_blocks - old.dispatch_blocks) blocks more"
    }
    if found.resident > old.resident + residentMax {
      return "resident memory has grown by \(found.resident - old.resident) bytes"
    }
    return nil
  }
}
