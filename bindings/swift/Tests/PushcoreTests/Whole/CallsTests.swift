import Foundation
import XCTest

@testable import Pushcore

/// Requests that are no messages, and what a client tells of itself.
final class CallsTests: XCTestCase {
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

    private func client(_ service: Service) throws -> Client {
        try Client(service, options: sandbox.options())
    }

    private func kind(_ answer: CallAnswer) -> OutcomeKind? {
        guard case .outcome(let outcome) = answer else { return nil }
        return outcome.kind
    }

    func testAChannelOfApnsFromItsCreationToItsDeletion() async throws {
        let client = try client(sandbox.apns("management"))
        let bundle = sandbox.string("apns", "topic")
        guard case .text(let channel) = try await client.call(.apnsCreateChannel(bundle: bundle, storage: .noStorage)) else {
            return XCTFail("not created")
        }
        let list = try await client.call(.apnsListChannels(bundle: bundle))
        XCTAssertEqual(list, .texts(texts: [channel]))
        let read = try await client.call(.apnsReadChannel(bundle: bundle, channel: channel))
        XCTAssertEqual(read, .text(text: "no_storage"))
        let payload = #"{"raw":{"aps":{"timestamp":1800000000,"event":"update","content-state":{"score":1}}}}"#
        let json = #"{"bundle":"\#(bundle)","channel":"\#(channel)","storage_policy":0,"payload":\#(payload)}"#
        let broadcast = try await self.client(sandbox.apns("broadcast")).send(Message(service: .apns, json: json))
        XCTAssertEqual(broadcast.kind, .accepted)
        let deleted = try await client.call(.apnsDeleteChannel(bundle: bundle, channel: channel))
        XCTAssertEqual(kind(deleted), .accepted)
        let gone = try await client.call(.apnsReadChannel(bundle: bundle, channel: channel))
        XCTAssertEqual(kind(gone), .rejected)
    }

    func testTopicsOfFcm() async throws {
        let client = try client(sandbox.fcm())
        let (good, dead) = (sandbox.string("fcm", "tokens", "valid"), sandbox.string("fcm", "tokens", "unregistered"))
        let subscribed = try await client.call(.fcmSubscribe(registration: good, topic: "news"))
        XCTAssertEqual(kind(subscribed), .accepted)
        guard case .page(let page, let next) = try await client.call(.fcmListSubscriptions(registration: good)) else {
            return XCTFail("no page")
        }
        XCTAssertEqual(page.map { $0.topic }, ["news"])
        XCTAssertNil(next)
        let many = try await client.call(.fcmSubscribeMany(registrations: [good, dead], topic: "sport"))
        XCTAssertEqual(many, .batch(results: [.done, .tokenGone]))
    }

    func testGroupsOfAdmAndTagsOfBaidu() async throws {
        let member = sandbox.string("adm", "registrations", "valid")
        let made = try await client(sandbox.adm()).call(.admCreateGroup(group: "fans", members: [member]))
        XCTAssertEqual(made, .group(succeeded: 1, failed: []))
        let baidu = try client(sandbox.baidu())
        _ = try await baidu.call(.baidu(subject: .createTag(tag: "vip")))
        let again = try await baidu.call(.baidu(subject: .createTag(tag: "vip")))
        guard case .outcome(let refused) = again else { return XCTFail("made twice") }
        XCTAssertEqual(refused.reason, "30610")
    }

    func testAWebPushMessageIsTakenBack() async throws {
        let client = try client(sandbox.webPush())
        let subscriptions = try XCTUnwrap(sandbox.part("webpush")["subscriptions"] as? [String: Any])
        let subscription = try text(subscriptions["active"] ?? "")
        let sent = try await client.send(webPush(payload: WebPushPayload(payload: Data("x".utf8))).to(subscription))
        let location = try XCTUnwrap(sent.location)
        let taken = try await client.call(.webPushWithdraw(location: location, subscription: subscription))
        XCTAssertEqual(kind(taken), .accepted)
    }

    func testACallWithAnHttpClientOfOnesOwn() throws {
        let service = try sandbox.apns()
        let list = Call.apnsListChannels(bundle: "com.example.app")
        let request = try service.callRequest(call: list)
        XCTAssertEqual(request.method, "GET")
        XCTAssertTrue(request.url.hasSuffix("/1/apps/com.example.app/all-channels"), request.url)
        let body = Data(#"{"channels":["dHN0LXNyY2gtY2hubA=="]}"#.utf8)
        let answer = try service.callAnswer(call: list, response: Response(status: 200, body: body))
        XCTAssertEqual(answer, .texts(texts: ["dHN0LXNyY2gtY2hubA=="]))
        let foreign = Call.fcmSubscribe(registration: "t", topic: "news")
        XCTAssertEqual(failure { _ = try service.callRequest(call: foreign) }?.kind, .misuse)
    }

    func testACancelledCallDoesNotWait() async throws {
        let silent = try Service.apnsKey(key: newKey(), keyId: "ABC123DEFG", teamId: "DEF123GHIJ", host: "192.0.2.1:443")
        let client = try Client(silent, options: ClientOptions(deadline: 60, connectTimeout: 50))
        let task = Task { try await client.call(.apnsListChannels(bundle: "com.example.app")) }
        try await Task.sleep(nanoseconds: 300_000_000)
        let began = Date()
        task.cancel()
        do {
            _ = try await task.value
            XCTFail("it was answered")
        } catch is CancellationError {}
        XCTAssertLessThan(Date().timeIntervalSince(began), 5)
    }

    func testAClientTellsOfItsConnectionsHostsAndLatencies() async throws {
        let client = try client(sandbox.apns())
        XCTAssertEqual(try client.connections(), [])
        let message = try sandbox.alert().to(sandbox.token("valid"))
        _ = try await client.send(message, options: SendOptions(priority: .bulk))
        let connection = try XCTUnwrap(client.connections().first)
        XCTAssertTrue(connection.ready && connection.streams > 0 && connection.roundTrip != nil, "\(connection)")
        XCTAssertEqual(try client.hosts().map { $0.authority }, [sandbox.string("apns", "authority")])
        let metrics = try client.metrics()
        XCTAssertEqual(metrics.latencies.map { "\($0.phase) \($0.count)" }, ["queue 1", "wire 1", "whole 1"])
        let text = try client.openMetrics(labels: [Label(name: "app", value: "news")])
        XCTAssertTrue(text.contains(#"pushcore_messages_total{service="apns",app="news",outcome="accepted"} 1"#), text)
    }

    func testAFileThatIsNoPkcs12() {
        XCTAssertEqual(failure { _ = try Service.apnsPkcs12(file: Data(), password: "") }.map { $0.number / 100 }, 1)
    }
}
