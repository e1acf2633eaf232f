import Foundation

/// The most targets that go down in one call, and the most that are read ahead.
private let chunk = 512

/// How long the sockets are waited for while targets may come.
private let glance: TimeInterval = 0.002

extension Client {
    /// Sends a message without a target to every target; gives the end of each, in the order in which they come.
    /// `Target.tag` says whose it is.
    ///
    /// Targets are pulled as results are, so that neither an endless sequence nor a slow consumer costs memory. Whoever stops
    /// iterating, or whose task is cancelled, cancels what has not ended.
    public func sendMany<Targets: Sequence & Sendable>(
        _ template: Message, to targets: Targets, options: SendOptions = SendOptions()
    ) -> SendMany where Targets.Element == Target {
        SendMany {
            let source = Pulled(targets.makeIterator())
            return try Sending(batch: self.batch(template: template, options: options)) { _ in source.take() }
        }
    }

    /// ``sendMany(_:to:options:)`` with targets that come one by one, from a database for example.
    public func sendMany<Targets: AsyncSequence & Sendable>(
        _ template: Message, to targets: Targets, options: SendOptions = SendOptions()
    ) -> SendMany where Targets.Element == Target {
        SendMany {
            let feed = Feed(targets)
            let batch = try self.batch(template: template, options: options)
            return Sending(batch: batch, stop: feed.stop) { waits in try await feed.take(waits: waits) }
        }
    }
}

/// The ends of a bulk send. Cold: every iteration sends anew.
public struct SendMany: AsyncSequence, Sendable {
    public typealias Element = Ended

    let begin: @Sendable () throws -> Sending

    init(_ begin: @escaping @Sendable () throws -> Sending) {
        self.begin = begin
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(begun: Result(catching: begin))
    }

    public struct Iterator: AsyncIteratorProtocol {
        let begun: Result<Sending, any Error>

        /// Returns the next end; nil when every target has had one.
        public mutating func next() async throws -> Ended? {
            try await begun.get().next()
        }
    }
}

/// One bulk send under way. One task at a time asks it for the next end; the last reference that goes cancels it.
final class Sending: @unchecked Sendable {
    private let batch: Batch
    /// Returns targets, an empty array where none is there yet, nil when none will come. Waits for one if it is told to.
    private let pull: @Sendable (_ waits: Bool) async throws -> [Target]?
    /// Ends what reads targets ahead.
    private let stop: @Sendable () -> Void
    private var waiting: [Target] = []
    private var ended: [Ended] = []
    private var given = 0
    private var inFlight = 0
    private var open = true

    init(
        batch: Batch, stop: @escaping @Sendable () -> Void = {},
        pull: @escaping @Sendable (_ waits: Bool) async throws -> [Target]?
    ) {
        self.batch = batch
        self.stop = stop
        self.pull = pull
    }

    deinit {
        stop()
        try? batch.cancel()
    }

    func next() async throws -> Ended? {
        while given == ended.count {
            guard open || !waiting.isEmpty || inFlight > 0 else { return nil }
            try Task.checkCancellation()
            if open && waiting.isEmpty {
                if let more = try await pull(inFlight == 0) { waiting = more } else { open = false }
            }
            let (offered, last) = (waiting, !open)
            let batch = batch
            let (submitted, came) = try await withTaskCancellationHandler {
                try await Threads.shared.run {
                    let submitted = try offered.isEmpty ? nil : batch.submit(targets: offered)
                    let all = submitted.map { Int($0.taken) == offered.count } ?? true
                    if last && all { try batch.finish() }
                    return (submitted, try batch.wait(longest: !last && all ? glance : slice))
                }
            } onCancel: {
                try? batch.cancel()
            }
            if let submitted {
                waiting.removeFirst(Int(submitted.taken))
                inFlight += Int(submitted.taken) - submitted.refused.count
            }
            inFlight -= came.count
            ended = (submitted?.refused ?? []) + came
            given = 0
        }
        try Task.checkCancellation()
        defer { given += 1 }
        return ended[given]
    }
}

/// The targets of a sequence, a chunk at a time.
private final class Pulled<Iterator: IteratorProtocol>: @unchecked Sendable where Iterator.Element == Target {
    private var iterator: Iterator

    init(_ iterator: Iterator) {
        self.iterator = iterator
    }

    func take() -> [Target]? {
        var taken: [Target] = []
        while taken.count < chunk, let target = iterator.next() { taken.append(target) }
        return taken.isEmpty ? nil : taken
    }
}

/// The targets of an asynchronous sequence, read ahead by a task of their own up to a chunk.
private final class Feed: @unchecked Sendable {
    private let lock = NSLock()
    private var buffer: [Target] = []
    private var end: Result<Void, any Error>?
    private var roomWanted: CheckedContinuation<Void, Never>?
    private var newsWanted: CheckedContinuation<Void, Never>?
    private var task: Task<Void, Never>?

    init<Targets: AsyncSequence & Sendable>(_ targets: Targets) where Targets.Element == Target {
        task = Task {
            do {
                for try await target in targets {
                    await self.push(target)
                    if Task.isCancelled { return }
                }
                self.finish(.success(()))
            } catch {
                self.finish(.failure(error))
            }
        }
    }

    /// Ends the reading ahead. The task holds the feed, so that somebody has to say it.
    func stop() {
        lock.withLock {
            task?.cancel()
            end = end ?? .success(())
            roomWanted?.resume()
            roomWanted = nil
        }
    }

    private func push(_ target: Target) async {
        await withCheckedContinuation { continuation in
            lock.withLock {
                buffer.append(target)
                newsWanted?.resume()
                newsWanted = nil
                if buffer.count < chunk || end != nil { continuation.resume() } else { roomWanted = continuation }
            }
        }
    }

    private func finish(_ end: Result<Void, any Error>) {
        lock.withLock {
            self.end = end
            newsWanted?.resume()
            newsWanted = nil
        }
    }

    func take(waits: Bool) async throws -> [Target]? {
        if waits {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    lock.withLock {
                        if !buffer.isEmpty || self.end != nil || Task.isCancelled {
                            continuation.resume()
                        } else {
                            newsWanted = continuation
                        }
                    }
                }
            } onCancel: {
                lock.withLock {
                    newsWanted?.resume()
                    newsWanted = nil
                }
            }
            try Task.checkCancellation()
        }
        let (taken, end) = lock.withLock {
            let taken = buffer
            buffer = []
            roomWanted?.resume()
            roomWanted = nil
            return (taken, self.end)
        }
        if !taken.isEmpty || end == nil { return taken }
        try end?.get()
        return nil
    }
}
