import Glibc

/// Runs all that is begun on one thread on that thread, one job after the other, in an order that dice choose: a test
/// knows when nothing is left but to wait, meets other interleavings in each run, and meets the same ones again.
///
/// Swift's runtime hands each job that is ready to a hook (swift/Runtime/ConcurrencyHooks.def). The jobs of threads that
/// run no such loop go where they always go.
final class JobLoop: TaskExecutor, @unchecked Sendable {  // used by its own thread alone
    private var jobs: [UnownedJob] = []
    private var later: [() -> Void] = []
    var dice: SeededDice

    init(dice: SeededDice) { self.dice = dice }

    func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

    /// Does this when no job is ready.
    func afterwards(_ action: @escaping () -> Void) { later.append(action) }

    var isIdle: Bool { jobs.isEmpty && later.isEmpty }

    /// Runs jobs until none is ready.
    ///
    /// - Parameter most: A program that never rests is stopped after so many.
    /// - Returns: How many it ran.
    func run(most: Int) -> Int {
        var count = 0
        while !isIdle, count < most {
            if jobs.isEmpty { later.removeFirst()() }
            guard !jobs.isEmpty else { continue }
            let index = jobs.count == 1 ? 0 : Int(dice.roll(0...Int64(jobs.count - 1)))
            jobs.swapAt(index, jobs.count - 1)
            let job = jobs.removeLast()
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            count += 1
        }
        return count
    }

    /// Makes this the loop of the calling thread while `body` runs.
    func whileCurrent<Result>(_ body: () -> Result) -> Result {
        Self.hook
        let pointer = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe pthread_setspecific(Self.key, pointer)
        defer { pthread_setspecific(Self.key, nil) }
        return body()
    }

    // MARK: The runtime's hook

    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        unsafe pthread_key_create(&key, nil)
        return key
    }()

    private static let hook: Void = {
        guard let symbol = unsafe dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook") else {
            fatalError("this Swift's runtime has no hook for its jobs")
        }
        unsafe symbol.assumingMemoryBound(to: Hook?.self).pointee = { job, original in
            guard let loop = unsafe pthread_getspecific(JobLoop.key) else { return original(job) }
            unsafe Unmanaged<JobLoop>.fromOpaque(loop).takeUnretainedValue().jobs.append(job)
        }
    }()
}

/// SplitMix64, so that a seed means the same everywhere.
struct SeededDice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func roll(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    /// Whether something happens that does so in this share of a thousand cases.
    mutating func happens(_ share: Int64) -> Bool { roll(0...999) < share }

    mutating func one<Element>(of choices: [Element]) -> Element { choices[Int(roll(0...Int64(choices.count - 1)))] }
}
