import Foundation
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@testable import Pushcore

/// Real sockets, real TLS, real signatures: the five services on this machine.
final class SandboxTests: XCTestCase {
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

    func testAPushToEachServiceAndOneToADeadToken() async throws {
        let apns = try client(sandbox.apns())
        let alert = try sandbox.alert()
        let taken = try await apns.send(alert.to(sandbox.token("valid")))
        XCTAssertEqual(taken.kind, .accepted)
        XCTAssertNotNil(taken.id)
        let gone = try await apns.send(alert.to(sandbox.token("unregistered")))
        XCTAssertEqual(gone.kind, .tokenGone)
        XCTAssertEqual(gone.reason, "Unregistered")
        XCTAssertEqual(gone.status, 410)
        XCTAssertNotNil(gone.since)
        XCTAssertEqual(try apns.stats().submitted, 2)
        XCTAssertTrue(try apns.events().contains { $0.name == "connected" })
        let ended = try await apns.shutdown(longest: 5)
        XCTAssertTrue(ended)
        do {
            _ = try await apns.send(alert.to(sandbox.token("valid")))
            XCTFail("a closed client takes a message")
        } catch let error as PushError {
            XCTAssertEqual(error.failure.kind, .closed)
        }

        let fcm = try client(sandbox.fcm())
        let notification = try fcmNotification(notification: FcmNotification(title: "Hello", data: ["score": "3:1"]))
        let first = try await fcm.send(notification.to(sandbox.string("fcm", "tokens", "valid")))
        XCTAssertEqual(first.kind, .accepted)

        let web = try client(sandbox.webPush())
        let payload = try webPush(payload: WebPushPayload(payload: Data("hello".utf8), ttl: 60, urgency: .high))
        let subscriptions = try XCTUnwrap(sandbox.part("webpush")["subscriptions"] as? [String: Any])
        let second = try await web.send(payload.to(text(subscriptions["active"] ?? "")))
        XCTAssertEqual(second.kind, .accepted)
        let expired = try await web.send(payload.to(text(subscriptions["expired"] ?? "")))
        XCTAssertEqual(expired.kind, .tokenGone)

        let adm = try client(sandbox.adm())
        let data = Message(service: .adm, json: #"{"data":{"score":"3:1"}}"#)
        let replaced = try await adm.send(data.to(sandbox.string("adm", "registrations", "replaced")))
        XCTAssertEqual(replaced.replacement, sandbox.string("adm", "registrations", "replacement"))

        let baidu = try client(sandbox.baidu())
        let shown = Message(service: .baidu, json: #"{"kind":"android","msg":"{\"title\":\"t\",\"description\":\"d\"}"}"#)
        let third = try await baidu.send(shown.to(sandbox.string("baidu", "channels", "valid")))
        XCTAssertEqual(third.kind, .accepted)
    }

    func testTwentyThousandPushesAccountedForByTag() async throws {
        let (good, dead) = (sandbox.token("valid"), sandbox.token("unregistered"))
        let targets = (0..<20_000).map { Target(to: $0 % 100 == 7 ? dead : good, tag: UInt64($0)) }
        let client = try client(sandbox.apns())
        var tags = Set<UInt64>()
        for try await ended in client.sendMany(try sandbox.alert(), to: targets) {
            XCTAssertTrue(tags.insert(ended.tag).inserted, "tag \(ended.tag) ended twice")
            let kind = try ended.get().kind
            XCTAssertEqual(kind, ended.tag % 100 == 7 ? .tokenGone : .accepted, "tag \(ended.tag)")
        }
        XCTAssertEqual(tags.count, 20_000)
        let stats = try client.stats()
        XCTAssertEqual([stats.submitted, stats.accepted, stats.tokenGone], [20_000, 19_800, 200])
    }

    func testASequenceIsPulledAsResultsAreAndStoppingCancels() async throws {
        let pulled = Counter()
        let token = sandbox.token("valid")
        let endless = sequence(state: 0 as UInt64) { (tag: inout UInt64) -> Target? in
            tag += 1
            pulled.add()
            return Target(to: token, tag: tag)
        }
        let client = try client(sandbox.apns())
        var results = 0
        for try await _ in client.sendMany(try sandbox.alert(), to: Lazy(endless)) {
            results += 1
            if results == 10 { break }
        }
        // What may wait (2,000), and what is read ahead.
        XCTAssertLessThan(pulled.value, 8_000)
        let before = pulled.value
        try await Task.sleep(nanoseconds: 300_000_000)
        XCTAssertEqual(pulled.value, before)
        XCTAssertEqual(try client.stats().queued, 0)
    }

    func testTargetsThatComeOneByOneAndAProducerThatThrows() async throws {
        struct Gone: Error {}
        let token = sandbox.token("valid")
        let client = try client(sandbox.apns())
        let slow = AsyncThrowingStream<Target, any Error> { continuation in
            Task {
                for tag in 0..<50 {
                    continuation.yield(Target(to: token, tag: UInt64(tag)))
                    if tag % 10 == 0 { try await Task.sleep(nanoseconds: 5_000_000) }
                }
                continuation.finish()
            }
        }
        var tags = Set<UInt64>()
        for try await ended in client.sendMany(try sandbox.alert(), to: slow) { tags.insert(ended.tag) }
        XCTAssertEqual(tags.count, 50)

        let broken = AsyncThrowingStream<Target, any Error> { continuation in
            continuation.yield(Target(to: token, tag: 1))
            continuation.finish(throwing: Gone())
        }
        do {
            for try await _ in client.sendMany(try sandbox.alert(), to: broken) {}
            XCTFail("the producer's error is lost")
        } catch is Gone {}
        let after = try await client.send(try sandbox.alert().to(token))
        XCTAssertEqual(after.kind, .accepted)
    }

    func testManyTasksOnOneClient() async throws {
        let client = try client(sandbox.apns())
        let message = try sandbox.alert().to(sandbox.token("valid"))
        let kinds = try await withThrowingTaskGroup(of: OutcomeKind.self) { group in
            for _ in 0..<200 { group.addTask { try await client.send(message).kind } }
            return try await group.reduce(into: [OutcomeKind]()) { $0.append($1) }
        }
        XCTAssertEqual(kinds.count, 200)
        XCTAssertEqual(Set(kinds), [.accepted])
    }

    func testACancelledSendDoesNotWait() async throws {
        // Nobody answers there: the socket is bound, and nobody accepts.
        let silent = try Service.apnsKey(key: newKey(), keyId: "ABC123DEFG", teamId: "DEF123GHIJ", host: "192.0.2.1:443")
        let client = try Client(silent, options: ClientOptions(deadline: 60, connectTimeout: 50))
        let message = try sandbox.alert().to("ab")
        let task = Task { try await client.send(message) }
        try await Task.sleep(nanoseconds: 200_000_000)
        let began = Date()
        task.cancel()
        do {
            _ = try await task.value
            XCTFail("it was sent")
        } catch {
            XCTAssertTrue(error is CancellationError || (error as? PushError)?.failure.kind == .notSent, "\(error)")
        }
        XCTAssertLessThan(Date().timeIntervalSince(began), 5)
    }

    func testContentStateIsWhatTheAppDecodes() async throws {
        struct ContentState: Codable, Equatable {
            let score: Int
            let since: Date
        }
        let state = ContentState(score: 3, since: Date(timeIntervalSinceReferenceDate: 700_000_000))
        let activity = try ApnsLiveActivity(bundle: sandbox.string("apns", "topic"), state: state)
        let service = try sandbox.apns()
        let request = try service.request(message: apnsLiveActivity(activity: activity).to("ab"))
        let body = try XCTUnwrap(JSONSerialization.jsonObject(with: request.body) as? [String: Any])
        let sent = try XCTUnwrap((body["aps"] as? [String: Any])?["content-state"])
        XCTAssertEqual((sent as? [String: Any])?["since"] as? Double, 700_000_000)
        let decoded = try JSONDecoder().decode(ContentState.self, from: JSONSerialization.data(withJSONObject: sent))
        XCTAssertEqual(decoded, state)
    }

    func testARequestIsOneForURLSession() throws {
        // Foundation's client on Linux does not reach the sandbox: the request is only held to what URLRequest takes.
        let request = try sandbox.apns().request(message: sandbox.alert().to(sandbox.token("valid")))
        var foreign = URLRequest(url: try XCTUnwrap(URL(string: request.url)))
        foreign.httpMethod = request.method
        foreign.httpBody = request.body
        for header in request.headers { foreign.setValue(header.value, forHTTPHeaderField: header.name) }
        XCTAssertEqual(foreign.value(forHTTPHeaderField: "apns-push-type"), "alert")
        XCTAssertEqual(foreign.httpMethod, "POST")
    }

    func testAThousandClientsLeaveNothingBehind() throws {
        func descriptors() -> Int { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0 }
        let service = try sandbox.apns()
        for _ in 0..<100 { _ = try client(service) }
        let before = descriptors()
        for _ in 0..<1_000 { _ = try client(service) }
        XCTAssertLessThanOrEqual(descriptors(), before + 8)
    }

    func testTheReadersFirstProgram() throws {
        let source = try String(contentsOf: root.appendingPathComponent("bindings/swift/Sources/First/main.swift"), encoding: .utf8)
        let code = source.split(separator: "\n").filter {
            !$0.isEmpty && !$0.hasPrefix("import") && !$0.drop(while: { $0 == " " }).hasPrefix("//")
        }
        XCTAssertLessThan(code.count, 15)
        let page = try String(contentsOf: root.appendingPathComponent("docs/swift.md"), encoding: .utf8)
        XCTAssertTrue(page.contains(source.trimmingCharacters(in: .whitespacesAndNewlines)), "docs/swift.md shows another program")
        let program = Process()
        program.executableURL = root.appendingPathComponent("bindings/swift/.build/debug/First")
        program.arguments = [
            sandbox.string("apns", "p8_file"), sandbox.string("apns", "key_id"), sandbox.string("apns", "team_id"),
            sandbox.string("apns", "topic"), sandbox.token("valid"),
        ]
        program.environment = ["PUSH_HOST": sandbox.string("apns", "authority"), "PUSH_CA": sandbox.string("ca_file")]
        let output = Pipe()
        program.standardOutput = output
        try program.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        program.waitUntilExit()
        XCTAssertEqual(program.terminationStatus, 0)
        XCTAssertEqual(String(decoding: said, as: UTF8.self), "nothing to do\n")
    }
}

/// A sequence that says it may cross to another thread.
struct Lazy<Base: Sequence>: Sequence, @unchecked Sendable {
    let base: Base

    init(_ base: Base) { self.base = base }

    func makeIterator() -> Base.Iterator { base.makeIterator() }
}

final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    func add() { lock.withLock { count += 1 } }

    var value: Int { lock.withLock { count } }
}
