import Foundation
import XCTest

@testable import Pushcore

/// The suite of all drivers (tests/drivers): the cases and what must come of them are the peer's.
final class DriversTests: XCTestCase {
    func testEveryCase() async throws {
        let program = ProcessInfo.processInfo.environment["PUSHCORE_PEER"]
            ?? root.appendingPathComponent("target/debug/pushcore-peer").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            return XCTFail("\(program) is missing: cargo build -p pushcore-tests --bin pushcore-peer")
        }
        let names = try Peer.names(program)
        XCTAssertGreaterThan(names.count, 50)
        // Most of the time of a case is waiting.
        let failed = await withTaskGroup(of: String?.self) { group -> [String] in
            var (next, failed) = (names.makeIterator(), [String]())
            for _ in 0..<4 {
                if let name = next.next() { group.addTask { await play(program, name) } }
            }
            for await fault in group {
                if let fault { failed.append(fault) }
                if let name = next.next() { group.addTask { await play(program, name) } }
            }
            return failed
        }
        XCTAssertEqual(failed, [], "\(failed.count) of \(names.count)")
    }
}

/// Plays a case; returns the report where there are faults.
private func play(_ program: String, _ name: String) async -> String? {
    do {
        let peer = try Peer(program, name)
        let played = Played(peer)
        let began = Date()
        do { try await played.play() } catch { played.fail(error) }
        let report = try await peer.ask(played.said(Date().timeIntervalSince(began)))
        peer.end()
        guard let faults = report["faults"] as? [Any], faults.isEmpty else { return "\(name): \(report)" }
        return nil
    } catch {
        return "\(name): \(error)"
    }
}

/// One case being played.
private final class Peer: @unchecked Sendable {
    private let process = Process()
    private let (input, output) = (Pipe(), Pipe())
    private let lock = NSLock()
    private var unread = Data()
    private(set) var told: [String: Any] = [:]

    init(_ program: String, _ name: String) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [name, "swift"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        told = try line()
    }

    static func names(_ program: String) throws -> [String] {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--list", "swift"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func line() throws -> [String: Any] {
        while !unread.contains(10) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw CocoaError(.fileReadUnknown) }
            unread += more
        }
        let end = unread.firstIndex(of: 10) ?? unread.endIndex
        let line = Data(unread[..<end])
        unread = Data(unread[unread.index(after: end)...])
        return try XCTUnwrap(JSONSerialization.jsonObject(with: line) as? [String: Any])
    }

    /// One line there, one line back; on a thread of its own, because Swift's may not wait.
    func ask(_ line: [String: Any]) async throws -> [String: Any] {
        let text = try JSONSerialization.data(withJSONObject: line) + Data([10])
        return try await withCheckedThrowingContinuation { (done: CheckedContinuation<Box, any Error>) in
            Thread.detachNewThread {
                done.resume(
                    with: Result {
                        try self.lock.withLock {
                            try self.input.fileHandleForWriting.write(contentsOf: text)
                            return Box(try self.line())
                        }
                    })
            }
        }.value
    }

    func until(_ step: [String: Any]) async throws {
        let answer = try await ask(["until": step.filter { $0.key != "do" }])
        guard answer["until"] as? Bool == true else { throw Unexpected("the peer never saw \(step)") }
    }

    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}

private struct Box: @unchecked Sendable {
    let value: [String: Any]

    init(_ value: [String: Any]) { self.value = value }
}

private struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

private final class Played: @unchecked Sendable {
    private let peer: Peer
    private let lock = NSLock()
    private let names: [String: String]
    private var ends: [[Any]] = []
    private var error: String?
    private var taken: Int?
    private var next = 0

    init(_ peer: Peer) {
        self.peer = peer
        names = Dictionary(errorKinds().map { ("\($0.kind)", $0.text) }, uniquingKeysWith: { first, _ in first })
    }

    private var told: [String: Any] { peer.told }

    func fail(_ error: any Error) { self.error = "\(error)" }

    func said(_ seconds: TimeInterval) -> [String: Any] {
        var said: [String: Any] = ["ends": ends, "seconds": seconds]
        if let error { said["error"] = error }
        if let taken { said["taken"] = taken }
        return said
    }

    private func number(_ value: Any?) -> Int { (value as? NSNumber)?.intValue ?? 0 }

    private func seconds(_ value: Any?) -> TimeInterval? { (value as? NSNumber)?.doubleValue }

    private func text(_ name: String) -> String { told[name] as? String ?? "" }

    private func numbers(_ step: [String: Any]) -> [Int] {
        let first = next
        next += number(step["count"])
        return Array(first..<next)
    }

    private func options() throws -> ClientOptions {
        let options = told["options"] as? [String: Any] ?? [:]
        let known: Set = [
            "max_connections", "max_queued", "max_requeues", "first_backoff", "connect_timeout", "response_timeout", "deadline",
            "seed", "http2",
        ]
        let http2 = options["http2"] as? [String: Any] ?? [:]
        let knownOfHttp2: Set = ["ping_after", "ping_timeout", "settings_timeout", "max_in_flight"]
        guard known.isSuperset(of: options.keys), knownOfHttp2.isSuperset(of: http2.keys) else {
            throw Unexpected("unknown options: \(options)")
        }
        func count(_ name: String) -> UInt32? { options[name].map { UInt32(number($0)) } }
        return ClientOptions(
            ca: try Data(contentsOf: URL(fileURLWithPath: text("ca"))), bundledRoots: false, proxy: told["proxy"] as? String,
            environmentProxy: false, maxQueued: count("max_queued"), maxConnections: count("max_connections"),
            maxRequeues: options["max_requeues"].map { UInt8(number($0)) }, deadline: seconds(options["deadline"]),
            responseTimeout: seconds(options["response_timeout"]), connectTimeout: seconds(options["connect_timeout"]),
            firstBackoff: seconds(options["first_backoff"]), seed: options["seed"].map { UInt64(number($0)) },
            http2: http2.isEmpty
                ? nil
                : Http2Options(
                    pingAfter: seconds(http2["ping_after"]), pingTimeout: seconds(http2["ping_timeout"]),
                    settingsTimeout: seconds(http2["settings_timeout"]),
                    maxInFlight: http2["max_in_flight"].map { UInt32(number($0)) }))
    }

    private func service() throws -> Service {
        func file(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: text(name))) }
        switch text("service") {
        case "apns":
            return try Service.apnsKey(key: file("key"), keyId: "ABC123DEFG", teamId: "DEF123GHIJ", host: text("host"))
        case "web_push":
            return try Service.webPushKey(
                key: file("key"), subject: "mailto:ops@example.org", policy: EndpointPolicy(anyPublicHost: true))
        default:
            return try Service.fcmFile(file: file("account"), host: text("host"), tokenHost: text("host"))
        }
    }

    private func token(_ number: Int) -> String {
        let hex = String(number, radix: 16)
        return String(repeating: "0", count: 64 - hex.count) + hex
    }

    private func target(_ number: Int) -> Target {
        let token = token(number)
        let web = #"{"endpoint":"https://push.example.org/p/\#(token)"}"#
        return Target(to: text("service") == "web_push" ? web : token, tag: UInt64(number))
    }

    private func template() throws -> Message {
        if text("service") == "web_push" { return try webPush(payload: WebPushPayload()) }
        let body = String(repeating: "x", count: number(told["size"]))
        return try apnsAlert(alert: ApnsAlert(bundle: "org.example.app", body: body))
    }

    private func add(_ end: [Any]) { lock.withLock { ends.append(end) } }

    private func failed(_ number: Int, _ failure: Failure) {
        let cause = failure.causes.last.map { names["\($0.kind)"] ?? "" } ?? ""
        add([number, names["\(failure.kind)"] ?? "", cause])
    }

    private func ended(_ number: Int, _ outcome: Outcome) { add([number, wire("\(outcome.kind)"), ""]) }

    private func ended(_ end: Ended) {
        if let outcome = end.outcome { ended(Int(end.tag), outcome) }
        if let failure = end.failure { failed(Int(end.tag), failure) }
    }

    private func one(_ client: Client, _ number: Int, _ call: Bool) async throws {
        do {
            if call {
                _ = try await client.call(.fcmSubscribe(registration: token(number), topic: "news"))
            } else {
                ended(number, try await client.send(template().to(target(number).to)))
            }
        } catch is CancellationError {
            add([number, "Cancelled", ""])
        } catch let error as PushError {
            failed(number, error.failure)
        }
    }

    func play() async throws {
        let client = try Client(service(), options: options())
        for step in told["steps"] as? [[String: Any]] ?? [] { try await play(step, client) }
        try await client.shutdown()
    }

    private func play(_ step: [String: Any], _ client: Client) async throws {
        switch step["do"] as? String ?? "" {
        case "bulk":
            for try await end in client.sendMany(try template(), to: numbers(step).map(target)) { ended(end) }
        case "one_by_one":
            for number in numbers(step) { try await one(client, number, false) }
        case "call":
            for number in numbers(step) { try await one(client, number, true) }
        case let what where ["together", "together_closed", "together_cancelled"].contains(what):
            let running = numbers(step).map { number in Task { try await self.one(client, number, false) } }
            if let until = step["until"] as? [String: Any] { try await peer.until(until) }
            if what == "together_closed" { try await client.shutdown() }
            // Those that wait first: the end of one in flight would make room for them.
            if what == "together_cancelled" { running.reversed().forEach { $0.cancel() } }
            for task in running { try await task.value }
        case "bulk_left":
            let numbers = numbers(step)
            var left = Set(numbers)
            for try await end in client.sendMany(try template(), to: numbers.map(target)) {
                ended(end)
                left.remove(Int(end.tag))
                if numbers.count - left.count == number(step["fetch"]) { break }
            }
            left.forEach { add([$0, "left", ""]) }
        case "unfetched":
            let pulled = Counter()
            let source = numbers(step).lazy.map { number in
                pulled.add()
                return self.target(number)
            }
            var fetched = 0
            for try await end in client.sendMany(try template(), to: Lazy(source)) {
                ended(end)
                fetched += 1
                if fetched == number(step["fetch"]) {
                    try await Task.sleep(nanoseconds: UInt64((seconds(step["pause"]) ?? 0) * 1e9))
                    taken = pulled.value
                }
            }
        case "until":
            try await peer.until(step)
        case "pause":
            try await Task.sleep(nanoseconds: UInt64((seconds(step["seconds"]) ?? 0) * 1e9))
        case let what:
            throw Unexpected("the driver lacks the step \(what)")
        }
    }
}
