import Foundation

extension Hub {
    /// Opens a hub of clients, at most one for an app in an environment. `client` is how those reach the network that do not say.
    public convenience init(
        _ clients: [HubClient], client: ClientOptions = ClientOptions(), options: HubOptions = HubOptions()
    ) throws {
        let opened = try Hub.open(clients: clients, clientOptions: client, options: options)
        self.init(unsafeFromHandle: opened.uniffiCloneHandle())
    }

    /// Sends a notification (the JSON of docs/notification.md) to devices of every service; gives the end of each, in the order in
    /// which they come. `Recipient.tag` says whose it is. `options` are those of each attempt.
    ///
    /// Devices are pulled as results are. Whoever stops iterating, or whose task is cancelled, cancels what has not ended.
    public func notify<Recipients: Sequence & Sendable>(
        _ notification: String, to recipients: Recipients, options: SendOptions = SendOptions()
    ) -> Deliveries where Recipients.Element == Recipient {
        Deliveries {
            let source = Pulled(recipients.makeIterator())
            return try self.sending(notification, options) { _ in source.take() }
        }
    }

    /// ``notify(_:to:options:)`` with devices that come one by one, from a database for example.
    public func notify<Recipients: AsyncSequence & Sendable>(
        _ notification: String, to recipients: Recipients, options: SendOptions = SendOptions()
    ) -> Deliveries where Recipients.Element == Recipient {
        Deliveries {
            let feed = Feed(recipients)
            return try self.sending(notification, options, stop: feed.stop) { waits in try await feed.take(waits: waits) }
        }
    }

    private func sending(
        _ notification: String, _ options: SendOptions, stop: @escaping @Sendable () -> Void = {},
        pull: @escaping @Sendable (_ waits: Bool) async throws -> [Recipient]?
    ) throws -> Sending<Recipient, Delivered> {
        let batch = try batch(notificationJson: notification, options: options)
        let steps = Steps<Recipient, Delivered>(
            submit: { recipients in
                let submitted = try batch.submit(recipients: recipients)
                return (Int(submitted.taken), submitted.refused)
            },
            finish: { try batch.finish() },
            wait: { try batch.wait(longest: $0) },
            cancel: { try? batch.cancel() })
        return Sending(steps: steps, stop: stop, pull: pull)
    }

    /// Takes no more messages, and waits until those taken have ended and the connections are closed, for at most `longest`.
    /// Returns whether everything has ended.
    @discardableResult
    public func shutdown(longest: TimeInterval? = nil) async throws -> Bool {
        try await Threads.shared.run { try self.shutdownBlocking(longest: longest) }
    }
}
