import Foundation

/// The most items that go down in one call, and the most that are read ahead.
private let chunk = 512

/// How long the sockets are waited for while items may come.
private let glance: TimeInterval = 0.002

/// The ends of a bulk send of messages.
public typealias SendMany = Results<Target, Ended>

/// The ends of a notification to many devices.
public typealias Deliveries = Results<Recipient, Delivered>

/// The ends of a bulk send. Cold: every iteration sends anew.
public struct Results<Item: Sendable, End: Sendable>: AsyncSequence, Sendable {
    public typealias Element = End

    let begin: @Sendable () throws -> Sending<Item, End>

    init(_ begin: @escaping @Sendable () throws -> Sending<Item, End>) {
        self.begin = begin
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(begun: Result(catching: begin))
    }

    public struct Iterator: AsyncIteratorProtocol {
        let begun: Result<Sending<Item, End>, any Error>

        /// Returns the next end; nil when every item has had one.
        public mutating func next() async throws -> End? {
            try await begun.get().next()
        }
    }
}

/// A bulk send in steps, whatever is sent.
struct Steps<Item: Sendable, End: Sendable>: Sendable {
    let submit: @Sendable ([Item]) throws -> (taken: Int, refused: [End])
    let finish: @Sendable () throws -> Void
    let wait: @Sendable (TimeInterval) throws -> [End]
    let cancel: @Sendable () -> Void
}

/// One bulk send under way. One task at a time asks it for the next end; the last reference that goes cancels it.
final class Sending<Item: Sendable, End: Sendable>: @unchecked Sendable {
    private let steps: Steps<Item, End>
    /// Returns items, an empty array where none is there yet, nil when none will come. Waits for one if it is told to.
    private let pull: @Sendable (_ waits: Bool) async throws -> [Item]?
    /// Ends what reads items ahead.
    private let stop: @Sendable () -> Void
    private var waiting: [Item] = []
    private var ended: [End] = []
    private var given = 0
    private var inFlight = 0
    private var open = true

    init(
        steps: Steps<Item, End>, stop: @escaping @Sendable () -> Void = {},
        pull: @escaping @Sendable (_ waits: Bool) async throws -> [Item]?
    ) {
        self.steps = steps
        self.stop = stop
        self.pull = pull
    }

    deinit {
        stop()
        steps.cancel()
    }

    func next() async throws -> End? {
        while given == ended.count {
            guard open || !waiting.isEmpty || inFlight > 0 else { return nil }
            try Task.checkCancellation()
            if open && waiting.isEmpty {
                if let more = try await pull(inFlight == 0) { waiting = more } else { open = false }
            }
            let (offered, last) = (waiting, !open)
            let steps = steps
            let (taken, refused, came) = try await withTaskCancellationHandler {
                try await Threads.shared.run {
                    let (taken, refused) = try offered.isEmpty ? (0, []) : steps.submit(offered)
                    let all = taken == offered.count
                    if last && all { try steps.finish() }
                    return (taken, refused, try steps.wait(!last && all ? glance : slice))
                }
            } onCancel: {
                steps.cancel()
            }
            waiting.removeFirst(taken)
            inFlight += taken - refused.count - came.count
            ended = refused + came
            given = 0
        }
        try Task.checkCancellation()
        defer { given += 1 }
        return ended[given]
    }
}

/// The items of a sequence, a chunk at a time.
final class Pulled<Iterator: IteratorProtocol>: @unchecked Sendable {
    private var iterator: Iterator

    init(_ iterator: Iterator) {
        self.iterator = iterator
    }

    func take() -> [Iterator.Element]? {
        var taken: [Iterator.Element] = []
        while taken.count < chunk, let item = iterator.next() { taken.append(item) }
        return taken.isEmpty ? nil : taken
    }
}

/// The items of an asynchronous sequence, read ahead by a task of their own up to a chunk.
final class Feed<Item: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var buffer: [Item] = []
    private var end: Result<Void, any Error>?
    private var roomWanted: CheckedContinuation<Void, Never>?
    private var newsWanted: CheckedContinuation<Void, Never>?
    private var task: Task<Void, Never>?

    init<Items: AsyncSequence & Sendable>(_ items: Items) where Items.Element == Item {
        task = Task {
            do {
                for try await item in items {
                    await self.push(item)
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

    private func push(_ item: Item) async {
        await withCheckedContinuation { continuation in
            lock.withLock {
                buffer.append(item)
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

    func take(waits: Bool) async throws -> [Item]? {
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
