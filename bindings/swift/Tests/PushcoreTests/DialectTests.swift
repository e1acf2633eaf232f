import Foundation
import XCTest

@testable import Pushcore

/// tests/dialects/plays.json, which every language plays: requests of original clients to their replies.
final class DialectTests: XCTestCase {
    private func begin(_ play: [String: Any]) throws -> DialectJob {
        let request = try XCTUnwrap(play["request"] as? [String: Any])
        let headers = try XCTUnwrap(request["headers"] as? [[String]])
        let incoming = IncomingRequest(
            method: request["method"] as? String ?? "", target: request["target"] as? String ?? "",
            headers: headers.map { IncomingHeader(name: $0[0], value: Data($0[1].utf8)) },
            body: Data((request["body"] as? String ?? "").utf8))
        let dialect = try Dialect.open(system: play["system"] as? String ?? "", optionsJson: text(play["options"]))
        return try dialect.begin(incoming: incoming, at: Date(timeIntervalSince1970: play["now"] as? Double ?? 0))
    }

    private func text(_ value: Any?) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: value ?? NSNull(), options: .fragmentsAllowed)
        return String(decoding: data, as: UTF8.self)
    }

    private func value(_ data: Data) throws -> Any {
        try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    }

    /// Whether a value holds every member of the expected one.
    private func holds(_ there: Any?, _ expected: Any) -> Bool {
        guard let members = expected as? [String: Any] else {
            return (there as? NSObject) == (expected as? NSObject)
        }
        guard let there = there as? [String: Any] else { return false }
        return members.allSatisfy { there[$0.key] != nil && holds(there[$0.key], $0.value) }
    }

    private func outcome(_ message: Message, _ response: [String: Any]) throws -> Outcome {
        let service = message.service == .apns
            ? try Service.apnsKey(key: newKey(), keyId: "ABC123DEFG", teamId: "DEF123GHIJ", environment: .production)
            : try Service.fcmAccessTokens(project: "my-app")
        let body = Data((response["body"] as? String ?? "").utf8)
        let status = UInt16(response["status"] as? Int ?? 0)
        return try service.outcome(message: message, response: Response(status: status, headers: [], body: body))
    }

    private func plays() throws -> [[String: Any]] {
        try XCTUnwrap(json("tests/dialects/plays.json")["plays"] as? [[String: Any]])
    }

    func testAPlayEndsInItsReply() throws {
        let plays = try plays()
        XCTAssertGreaterThanOrEqual(plays.count, 6)
        for play in plays {
            let title = play["label"] as? String ?? ""
            var job = try begin(play)
            XCTAssertEqual(job.operation(), play["operation"] as? String, title)
            for row in play["steps"] as? [[String: Any]] ?? [] {
                XCTAssertNil(job.reply(), title)
                job = try DialectJob.fromJson(json: job.toJson())
                let step = try XCTUnwrap(job.steps().first, title)
                let data = try value(Data(step.json.utf8))
                XCTAssertTrue(holds(data, try XCTUnwrap(row["expect"])), "\(title): \(step.json)")
                if let to = row["to"] as? [String: Any] {
                    let message = try broadcastMessage(stepJson: step.json, target: text(to["target"]))
                    XCTAssertEqual(message.service, .webPush)
                    let form = try XCTUnwrap(try value(Data(message.json.utf8)) as? [String: Any])
                    let payload = try value(Data((form["payload"] as? String ?? "").utf8))
                    XCTAssertTrue(holds(payload, try XCTUnwrap(to["payload"])), message.json)
                }
                if let answer = row["answer"] {
                    try job.answer(id: step.id, json: text(answer))
                } else if let response = row["response"] as? [String: Any] {
                    try job.sent(id: step.id, outcome: outcome(try XCTUnwrap(step.message, title), response))
                } else {
                    try job.unknown(id: step.id)
                }
            }
            let reply = try XCTUnwrap(job.reply(), title)
            let expected = try XCTUnwrap(play["reply"] as? [String: Any])
            XCTAssertTrue(job.steps().isEmpty, title)
            XCTAssertEqual(Int(reply.status), expected["status"] as? Int, title)
            let type = reply.headers.first { $0.name == "Content-Type" }?.value
            XCTAssertEqual(type, expected["content_type"] as? String, title)
            XCTAssertEqual(reply.remember.count, expected["remember"] as? Int, title)
            XCTAssertTrue(holds(try value(reply.body), try XCTUnwrap(expected["body"])), title)
        }
    }

    func testAnAnswerThatCannotBeIsRefusedAndTheStepWaitsOn() throws {
        let play = try XCTUnwrap(plays().first)
        let job = try begin(play)
        let step = try XCTUnwrap(job.steps().first)
        XCTAssertEqual(failure { try job.answer(id: step.id, json: "7") }?.kind, .invalidValue)
        XCTAssertEqual(failure { try job.answer(id: step.id, json: "{") }?.kind, .invalidPayload)
        XCTAssertEqual(failure { try job.answer(id: step.id + 1, json: "null") }?.kind, .misuse)
        XCTAssertEqual(failure { try job.unknown(id: step.id) }?.kind, .misuse)
        XCTAssertEqual(job.steps().map(\.id), [step.id])
        XCTAssertEqual(failure { _ = try Dialect.open(system: "nobody's") }?.kind, .invalidValue)
        XCTAssertEqual(failure { _ = try DialectJob.fromJson(json: "{}") }?.kind, .invalidPayload)
        // A message without an answer: the failure that its client had.
        for row in (play["steps"] as? [[String: Any]] ?? []).dropLast() {
            try job.answer(id: try XCTUnwrap(job.steps().first).id, json: text(row["answer"]))
        }
        let refused = failure { _ = try checkMessage(message: Message(service: .adm, json: "{")) }
        try job.failed(id: try XCTUnwrap(job.steps().first).id, failure: try XCTUnwrap(refused))
        let body = try value(try XCTUnwrap(job.reply()).body) as? [String: Any]
        let result = try XCTUnwrap((body?["Result"] as? [String: [String: Any]])?.values.first)
        XCTAssertEqual(result["DeliveryStatus"] as? String, "PERMANENT_FAILURE")
    }

    func testTablesDigestSignatureAndSelections() throws {
        let file = try json("tests/dialects/plays.json")
        XCTAssertEqual(dialectSystems(), ["pinpoint", "pushpad", "ionic", "cozie", "fcm_legacy"])
        for system in dialectSystems() {
            XCTAssertFalse(try Dialect.open(system: system).routes().isEmpty, system)
        }
        let digest = try XCTUnwrap(file["digest"] as? [String: String])
        XCTAssertEqual(tokenDigest(key: digest["key"] ?? ""), digest["sha256"])
        let signed = try XCTUnwrap(file["signature"] as? [String: String])
        XCTAssertEqual(pushpadSignature(token: signed["token"] ?? "", uid: signed["uid"] ?? ""), signed["signature"])
        for row in try XCTUnwrap(file["selections"] as? [[String: Any]]) {
            let selection = try DialectSelection.of(filterJson: text(row["filter"]))
            for (name, expected) in [("selected", true), ("not", false)] {
                for pair in row[name] as? [[Any]] ?? [] {
                    let said = selection.selects(uid: pair[0] as? String, tags: pair[1] as? [String] ?? [])
                    XCTAssertEqual(said, expected, "\(row) \(pair)")
                }
            }
        }
    }
}
