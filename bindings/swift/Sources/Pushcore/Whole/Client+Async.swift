import Foundation

/// The longest stay in the library between two looks at what else there is to do.
let slice: TimeInterval = 0.1

extension Client {
    /// Opens a client of a service. No connection is made before the first message.
    public convenience init(_ service: Service, options: ClientOptions = ClientOptions()) throws {
        let opened = try Client.open(service: service, options: options)
        self.init(unsafeFromHandle: opened.uniffiCloneHandle())
    }

    /// Sends one message and waits for its end, without holding one of Swift's threads. A service's "no" is an outcome.
    ///
    /// Cancelling the task cancels the message and throws `CancellationError`; a message that has been written already may
    /// arrive all the same. At most 64 sends are under way at a time, the others wait for them: many messages go with
    /// ``sendMany(_:to:options:)``.
    public func send(_ message: Message, options: SendOptions = SendOptions()) async throws -> Outcome {
        try Task.checkCancellation()
        let single = try single(message: message, options: options)
        do {
            return try await withTaskCancellationHandler {
                try await Threads.shared.run { try single.end().get() }
            } onCancel: {
                try? single.cancel()
            }
        } catch PushError.NoAnswer(let failure) where failure.kind == .cancelled && Task.isCancelled {
            throw CancellationError()
        }
    }

    /// Makes a call that is no message (channels, topics, groups, withdrawals, reports) and waits for its answer, without holding
    /// one of Swift's threads. A service's "no" is an answer. Cancelling the task cancels the call.
    public func call(_ call: Call, options: SendOptions = SendOptions()) async throws -> CallAnswer {
        let exchange = try exchange(call: call, options: options)
        while true {
            try Task.checkCancellation()
            if let answer = try await Threads.shared.run({ try exchange.wait(longest: slice) }) { return answer }
        }
    }

    /// Takes no more messages, and waits until those taken have ended and the connections are closed, for at most `longest`.
    /// Returns whether everything has ended.
    @discardableResult
    public func shutdown(longest: TimeInterval? = nil) async throws -> Bool {
        try await Threads.shared.run { try self.shutdownBlocking(longest: longest) }
    }
}

extension Ended {
    /// Returns the outcome, or throws the reason why there is none.
    public func get() throws -> Outcome {
        if let failure { try raise(failure: failure) }
        guard let outcome else { throw CancellationError() }
        return outcome
    }
}

extension SingleSend {
    /// Waits for the end.
    fileprivate func end() throws -> Ended {
        while true {
            if let ended = try wait(longest: slice) { return ended }
        }
    }
}
