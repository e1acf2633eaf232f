import Foundation

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
            return try self.sending(template, options) { _ in source.take() }
        }
    }

    /// ``sendMany(_:to:options:)`` with targets that come one by one, from a database for example.
    public func sendMany<Targets: AsyncSequence & Sendable>(
        _ template: Message, to targets: Targets, options: SendOptions = SendOptions()
    ) -> SendMany where Targets.Element == Target {
        SendMany {
            let feed = Feed(targets)
            return try self.sending(template, options, stop: feed.stop) { waits in try await feed.take(waits: waits) }
        }
    }

    private func sending(
        _ template: Message, _ options: SendOptions, stop: @escaping @Sendable () -> Void = {},
        pull: @escaping @Sendable (_ waits: Bool) async throws -> [Target]?
    ) throws -> Sending<Target, Ended> {
        let batch = try batch(template: template, options: options)
        let steps = Steps<Target, Ended>(
            submit: { targets in
                let submitted = try batch.submit(targets: targets)
                return (Int(submitted.taken), submitted.refused)
            },
            finish: { try batch.finish() },
            wait: { try batch.wait(longest: $0) },
            cancel: { try? batch.cancel() })
        return Sending(steps: steps, stop: stop, pull: pull)
    }
}
