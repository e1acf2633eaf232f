import Foundation

extension Message {
    /// Returns the same message to a device token, or for Web Push to the subscription's JSON.
    public func to(_ target: String) -> Message {
        Message(service: service, json: json, target: target)
    }
}

extension ApnsAlert {
    /// Returns the alert with the app's own keys, beside `aps`: a value that encodes as an object.
    ///
    /// It is encoded with the strategies that `JSONDecoder` has by default, so that a date is seconds since 2001.
    public func custom(_ value: some Encodable) throws -> ApnsAlert {
        ApnsAlert(
            bundle: bundle, title: title, subtitle: subtitle, body: body, badge: badge, sound: sound, threadId: threadId,
            category: category, collapseId: collapseId, mutableContent: mutableContent, customJson: try encoded(value))
    }
}

extension ApnsLiveActivity {
    /// An update of a Live Activity. `state` is the app's `ContentState`, or a type of the server's that encodes alike:
    /// with the strategies that ActivityKit decodes with, so that a date is seconds since 2001.
    public init(
        bundle: String, state: some Encodable, timestamp: Date = Date(), stale: Date? = nil, mayWait: Bool = false
    ) throws {
        self.init(
            bundle: bundle, stateJson: try encoded(state), timestamp: timestamp, ends: false, stale: stale, dismissal: nil,
            mayWait: mayWait)
    }

    /// The end of a Live Activity, which shows `state` until it leaves the screen at `dismissal`.
    public init(bundle: String, lastState state: some Encodable, timestamp: Date = Date(), dismissal: Date? = nil) throws {
        self.init(
            bundle: bundle, stateJson: try encoded(state), timestamp: timestamp, ends: true, stale: nil,
            dismissal: dismissal, mayWait: false)
    }
}

private func encoded(_ value: some Encodable) throws -> String {
    String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
}
