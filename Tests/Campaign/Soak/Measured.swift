import CConnectByListSoak
import Glibc

/// What the process holds while nothing is at work in it.
struct Measured {
  private let found: cbl_soak_measures

  /// How much more it may be: threads, and bytes of resident memory.
  private let threadsMax: Int
  private let residentMax: Int

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
      + (found.heap > 0 ? "\(found.heap >> 10) KiB allocated, " : "")
      + "\(found.resident >> 10) KiB resident"
  }

  /// What has grown since `before`, in words; `nil`: nothing.
  ///
  /// Descriptors must be as many as before. A minute is 70,000 pieces of work, so that a leak of a few bytes in each
  /// passes the bounds of memory. In ten minutes the heap was seen to grow by 140 KiB: Dispatch, on which the tasks
  /// run, keeps up to 1,024 free blocks of 80 bytes for each of its threads.
  func growth(since before: Measured) -> String? {
    let old = before.found
    if found.descriptors > old.descriptors {
      return "\(found.descriptors - old.descriptors) descriptors are left"
    }
    if found.threads > old.threads + threadsMax {
      return "\(found.threads - old.threads) threads are left"
    }
    if found.heap > old.heap + 512 << 10 { return "\(found.heap - old.heap) bytes are left" }
    if found.resident > old.resident + residentMax {
      return "resident memory has grown by \(found.resident - old.resident) bytes"
    }
    return nil
  }
}
