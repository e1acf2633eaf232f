import Foundation

/// Threads that wait in the library, so that Swift's own, of which there are few, never do.
///
/// A thread is made when a job comes and none rests, up to 64; one that rests for ten seconds ends.
final class Threads: @unchecked Sendable {
    static let shared = Threads(most: 64)

    private let most: Int
    private let condition = NSCondition()
    private var jobs: [@Sendable () -> Void] = []
    private var next = 0
    private var threads = 0
    private var resting = 0

    init(most: Int) {
        self.most = most
    }

    /// Runs `work` on one of the threads.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            add { continuation.resume(with: Result(catching: work)) }
        }
    }

    private func add(_ job: @escaping @Sendable () -> Void) {
        condition.lock()
        defer { condition.unlock() }
        jobs.append(job)
        if resting >= jobs.count - next || threads == most {
            condition.signal()
        } else {
            threads += 1
            Thread.detachNewThread { self.work() }
        }
    }

    private func work() {
        condition.lock()
        while let job = take() {
            condition.unlock()
            job()
            condition.lock()
        }
        threads -= 1
        condition.unlock()
    }

    /// Returns the next job, or nil when there was none for ten seconds. The lock is held.
    private func take() -> (@Sendable () -> Void)? {
        let until = Date(timeIntervalSinceNow: 10)
        while next == jobs.count {
            resting += 1
            let signalled = condition.wait(until: until)
            resting -= 1
            if !signalled && next == jobs.count { return nil }
        }
        let job = jobs[next]
        next += 1
        if next == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            next = 0
        }
        return job
    }
}
