import Foundation
import XCTest

@testable import Pushcore

private let sale = #"{"title":"Sale","body":"Everything must go"}"#

final class HubTests: XCTestCase {
    nonisolated(unsafe) private static var started: Sandbox?
    private var sandbox: Sandbox { Self.started! }

    override class func setUp() {
        started = try? Sandbox("--no-governor")
    }

    override class func tearDown() {
        started = nil
    }

    override func setUpWithError() throws {
        _ = try XCTUnwrap(Self.started, "the sandbox does not start: cargo build -p pushcore-sandbox")
    }

    private func hub(_ options: HubOptions = HubOptions()) throws -> Hub {
        let clients = try [HubClient(service: sandbox.apns()), HubClient(service: sandbox.fcm())]
        return try Hub(clients, client: sandbox.options(), options: options)
    }

    private func apple(_ token: String, _ tag: UInt64 = 0) -> Recipient {
        let app = sandbox.string("apns", "topic")
        let json = #"{"service":"apns","environment":"sandbox","app":"\#(app)","token":"\#(sandbox.token(token))"}"#
        return Recipient(deviceJson: json, tag: tag)
    }

    private func android(_ token: String, _ tag: UInt64 = 0) -> Recipient {
        Recipient(deviceJson: #"{"service":"fcm","token":"\#(sandbox.string("fcm", "tokens", token))"}"#, tag: tag)
    }

    func testOneNotificationToTheDevicesOfTwoServices() async throws {
        let hub = try hub()
        let recipients = [
            apple("valid", 1), apple("unregistered", 2), android("valid", 3), Recipient(deviceJson: #"{"service":"fcm"}"#, tag: 4),
        ]
        var delivered: [Delivered] = []
        for try await one in hub.notify(sale, to: recipients) { delivered.append(one) }
        delivered.sort { $0.ended.tag < $1.ended.tag }
        XCTAssertEqual(delivered.map { $0.feedback?.action }, ["keep", "delete", "keep", nil])
        XCTAssertEqual(try delivered[0].ended.get().kind, .accepted)
        XCTAssertEqual(delivered[2].stop, "accepted")
        XCTAssertNotNil(delivered[3].ended.failure)
        let counts = try hub.metrics().map { "\($0.app.service) \($0.metrics.stats.accepted)" }
        XCTAssertEqual(counts.sorted(), ["apns 1", "fcm 1"])
        XCTAssertTrue(
            try hub.openMetrics().contains(#"service="fcm",app="",environment="production",outcome="accepted"} 1"#))
        let ended = try await hub.shutdown(longest: 5)
        XCTAssertTrue(ended)
        for try await late in hub.notify(sale, to: [apple("valid", 9)]) {
            XCTAssertEqual(late.ended.failure?.kind, .closed)
        }
    }

    func testFourThousandDevicesAccountedForByTag() async throws {
        let hub = try hub(HubOptions(remember: 0))
        let recipients = (0..<4_000).map { number -> Recipient in
            let token = number % 100 == 7 ? "unregistered" : "valid"
            return number % 2 == 0 ? android(token, UInt64(number)) : apple(token, UInt64(number))
        }
        var tags = Set<UInt64>()
        for try await one in hub.notify(sale, to: recipients) {
            XCTAssertTrue(tags.insert(one.ended.tag).inserted, "tag \(one.ended.tag) ended twice")
            XCTAssertEqual(one.feedback?.action, one.ended.tag % 100 == 7 ? "delete" : "keep", "tag \(one.ended.tag)")
        }
        XCTAssertEqual(tags.count, 4_000)
    }

    func testASequenceThatIsLeftCancelsWhatHasNotEnded() async throws {
        let pulled = Counter()
        let recipient = apple("valid")
        let endless = sequence(state: 0) { (_: inout Int) -> Recipient? in
            pulled.add()
            return recipient
        }
        let hub = try hub(HubOptions(queue: 1_000, remember: 0))
        var results = 0
        for try await _ in hub.notify(sale, to: Lazy(endless)) {
            results += 1
            if results == 10 { break }
        }
        // What waits in the session (2,000) and in the hub (1,000), and what is read ahead.
        XCTAssertLessThan(pulled.value, 8_000)
        let before = pulled.value
        try await Task.sleep(nanoseconds: 300_000_000)
        XCTAssertEqual(pulled.value, before)
        let stats = try XCTUnwrap(hub.metrics().first).metrics.stats
        XCTAssertEqual([stats.queued, stats.open], [0, 0])
    }

    func testAProducerThatThrows() async throws {
        struct Gone: Error {}
        let recipient = apple("valid")
        let broken = AsyncThrowingStream<Recipient, any Error> { continuation in
            for _ in 0..<5 { continuation.yield(recipient) }
            continuation.finish(throwing: Gone())
        }
        let hub = try hub()
        do {
            for try await _ in hub.notify(sale, to: broken) {}
            XCTFail("the producer's error is lost")
        } catch is Gone {}
        for try await after in hub.notify(sale, to: [recipient]) { XCTAssertEqual(try after.ended.get().kind, .accepted) }
    }

    func testACancelledBatchTellsTheEndOfEveryDevice() throws {
        // Nobody answers there.
        let silent = try Service.fcmAccessTokens(project: "demo", host: "192.0.2.1:443")
        try silent.supplyToken(token: "ya29.token", lifetime: 3_600)
        let hub = try Hub([HubClient(service: silent)], client: ClientOptions(deadline: 60, connectTimeout: 50),
            options: HubOptions(remember: 0))
        let batch = try hub.batch(notificationJson: sale, options: SendOptions())
        let offered = (0..<50).map { android("valid", UInt64($0)) }
        XCTAssertEqual(try batch.submit(recipients: offered).taken, 50)
        XCTAssertEqual(try batch.wait(longest: 0.2).count, 0)
        XCTAssertEqual(try batch.progress().map { $0.progress.inFlight }, [50])
        try batch.cancel()
        let ended = try batch.wait(longest: 5)
        XCTAssertEqual(Set(ended.map { $0.ended.tag }), Set(0..<50))
        XCTAssertEqual(Set(ended.map { $0.ended.failure?.kind }), [.cancelled])
        XCTAssertTrue(try batch.isIdle())
    }

    func testAPolicyOfRetriesAndOptionsThatAreNone() throws {
        XCTAssertNoThrow(try hub(HubOptions(retries: Retries(attempts: 3, firstWait: 0.01, resendUnknown: true))))
        XCTAssertEqual(failure { _ = try hub(HubOptions(retries: Retries(attempts: 0))) }?.kind, .invalidValue)
        XCTAssertEqual(failure { _ = try hub(HubOptions(retries: Retries(total: -1))) }?.kind, .invalidValue)
        XCTAssertEqual(failure { _ = try hub(HubOptions(queue: 0)) }?.kind, .invalidValue)
        XCTAssertEqual(failure { _ = try Hub([]) }?.kind, .missingField)
    }

    func testATokenThatComesTwiceIsSentToOnce() async throws {
        var kinds: [UInt64: ErrorKind?] = [:]
        for try await one in try hub().notify(sale, to: [apple("valid", 1), apple("valid", 2)]) {
            kinds[one.ended.tag] = .some(one.ended.failure?.kind)
        }
        XCTAssertEqual(kinds, [1: nil, 2: .duplicateDevice])
    }

    func testANotificationTellsWhatAServiceCannotShow() throws {
        let buttons = #"{"title":"t","subtitle":"s","body":"b"}"#
        let rendered = try renderNotification(notificationJson: buttons, deviceJson: android("valid").deviceJson)
        XCTAssertEqual(rendered.message.service, .fcm)
        XCTAssertTrue(rendered.losses.contains { $0.field == "subtitle" && $0.kind == "dropped" }, "\(rendered.losses)")
    }
}
