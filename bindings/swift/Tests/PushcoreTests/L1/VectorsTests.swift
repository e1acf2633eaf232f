import Foundation
import XCTest

@testable import Pushcore

/// tests/vectors, through the same JSON that Rust, Python and Kotlin run.
final class VectorsTests: XCTestCase {
    private let kinds: [(String, ServiceKind)] = [
        ("adm", .adm), ("apns", .apns), ("baidu", .baidu), ("fcm", .fcm), ("webpush", .webPush),
    ]
    private let earlier = Date(timeIntervalSince1970: 1_500_000_000)

    private func rows(_ vectors: [String: Any], _ name: String) -> [[String: Any]] {
        vectors[name] as? [[String: Any]] ?? []
    }

    private func service(_ kind: ServiceKind, _ environment: Environment = .production) throws -> Service {
        switch kind {
        case .adm:
            let service = try Service.admProfile(clientId: "id", clientSecret: "s")
            guard case .fetch = try service.authorization(at: earlier) else { throw CocoaError(.coderInvalidValue) }
            let body = Data(#"{"access_token":"t","expires_in":3600,"token_type":"bearer"}"#.utf8)
            XCTAssertTrue(try service.acceptToken(response: Response(status: 200, headers: [], body: body), at: earlier))
            return service
        case .apns:
            return try Service.apnsKey(key: newKey(), keyId: "ABC123DEFG", teamId: "DEF123GHIJ", environment: environment)
        case .baidu:
            return try Service.baiduKeys(apiKey: "AK", secretKey: "SK")
        case .fcm:
            let service = try Service.fcmAccessTokens(project: "my-app")
            try service.supplyToken(token: "t", lifetime: 3600, at: earlier)
            return service
        case .webPush:
            return try Service.webPushKey(key: newKey(), subject: "mailto:push@example.com")
        }
    }

    private func headers(_ request: Request) -> [String: String] {
        let shown = request.headers.filter { $0.name != "authorization" }
        return Dictionary(shown.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    private func value(_ data: Data) -> NSObject? {
        try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) as? NSObject
    }

    func testMessages() throws {
        var count = 0
        for (file, kind) in kinds {
            let vectors = try json("tests/vectors/\(file).json")
            let lists = ["encode", "broadcasts", "invalid"]
            let written = try lists.flatMap { try Written.rows("tests/vectors/\(file).json", $0) }
            let read = lists.flatMap { rows(vectors, $0) }
            XCTAssertEqual(written.count, read.count)
            for (row, written) in zip(read, written) {
                count += 1
                let title = "\(file) \(row["name"] ?? "")"
                let given = try XCTUnwrap(row["message"] ?? row["broadcast"] ?? row["json"], title)
                let form = given as? String ?? written.members["message"] ?? written.members["broadcast"] ?? written.members["json"] ?? ""
                let message = Message(service: kind, json: form)
                let at = kind == .apns ? Date(timeIntervalSince1970: 1_700_000_000) : earlier
                let service = try service(kind, row["environment"] as? String == "sandbox" ? .sandbox : .production)
                if let expected = row["error"] {
                    let error = expected as? [String: Any]
                    guard let failure = failure({ _ = try service.request(message: message, at: at) }) else { continue }
                    let kind = error?["kind"] as? String ?? expected as? String ?? ""
                    let path = (error == nil ? row["path"] : error?["path"]) as? String ?? ""
                    XCTAssertEqual(kindName(failure.kind), kind.lowercased(), title)
                    XCTAssertTrue(failure.text.hasPrefix(path), "\(title): \(failure.text)")
                    continue
                }
                let request = try service.request(message: message, at: at)
                let again = try checkMessage(message: message)
                XCTAssertEqual(again.json, try checkMessage(message: again).json, title)
                if let expected = row["request"] as? [String: Any] {
                    XCTAssertEqual(request.method, expected["method"] as? String, title)
                    XCTAssertEqual(request.url, expected["url"] as? String, title)
                    XCTAssertEqual(headers(request), expected["headers"] as? [String: String], title)
                    XCTAssertEqual(String(decoding: request.body, as: UTF8.self), expected["body"] as? String, title)
                } else if kind == .webPush {
                    XCTAssertEqual(request.url, row["url"] as? String, title)
                    XCTAssertEqual(headers(request), row["headers"] as? [String: String], title)
                    let plain = (row["plain"] as? String).map { Data($0.utf8) } ?? (row["plain_base64"] as? String).flatMap(fromBase64url)
                    if let plain { XCTAssertEqual(try decrypted(request, vectors), plain, title) }
                } else if kind == .baidu {
                    XCTAssertTrue(request.url.hasSuffix(row["path"] as? String ?? "?"), title)
                    XCTAssertEqual(String(decoding: request.body, as: UTF8.self), row["body"] as? String, title)
                } else if let expected = row["text"] as? String {
                    XCTAssertEqual(String(decoding: request.body, as: UTF8.self), expected, title)
                } else {
                    XCTAssertEqual(value(request.body), row["body"] as? NSObject, title)
                }
            }
        }
        XCTAssertGreaterThan(count, 250)
    }

    /// The receiver of RFC 8291, appendix A.
    private func decrypted(_ request: Request, _ vectors: [String: Any]) throws -> Data {
        let receiver = try XCTUnwrap(rows(vectors, "receive").first)
        let key = Data((receiver["private_key"] as? String ?? "").utf8)
        let keys = try ReceiverKeys.restore(privateKey: key, auth: receiver["auth"] as? String ?? "")
        guard let legacy = headers(request)["encryption"] else { return try keys.decrypt(body: request.body) }
        return try keys.decryptAesgcm(
            body: request.body, cryptoKey: headers(request)["crypto-key"] ?? "", encryption: legacy)
    }

    private let answered = [
        "adm": #"{"registration_id":"used","data":{"k":"v"}}"#,
        "baidu": #"{"kind":"android","msg":"{\"title\":\"t\",\"description\":\"d\"}","target":{"device":"1"}}"#,
        "fcm": #"{"token":"t","data":{"k":"v"}}"#,
        "webpush": #"{"subscription":{"endpoint":"https://updates.push.services.mozilla.com/wpush/v2/abc"}}"#,
        "wns": #"{"subscription":{"endpoint":"https://db3.notify.windows.com/w/?token=abc"}}"#,
    ]

    func testAnswers() throws {
        var count = 0
        for (file, kind) in kinds {
            for row in rows(try json("tests/vectors/\(file).json"), "decode") {
                count += 1
                let title = "\(file) \(row["name"] ?? "")"
                let registered = (row["registered_at_ms"] as? Int).map { #","registered_at_ms":\#($0)"# } ?? ""
                let alert = #"{"push_type":"alert","bundle":"a.b","device":"ab","payload":{"aps":{"alert":"x"}}\#(registered)}"#
                let message = Message(service: kind, json: kind == .apns ? alert : answered[title.hasPrefix("webpush wns") ? "wns" : file] ?? "")
                let headers = (row["headers"] as? [String: String] ?? [:]).map { Header(name: $0.key, value: $0.value) }
                let body = Data(try text(row["body"] ?? "").utf8)
                let status = UInt16(row["status"] as? Int ?? 0)
                let at = Date(timeIntervalSince1970: kind == .apns ? 1_700_000_000 : 784_111_747)
                let response = Response(status: status, headers: headers, body: body)
                if (row["registered_at_ms"] as? Int).map({ $0 < 1_000_000_000_000 }) ?? false {
                    // No form says that a token was registered before 2001: it is refused.
                    let service = try service(kind)
                    let thrown = failure { _ = try service.outcome(message: message, response: response, at: at) }
                    XCTAssertEqual(thrown?.kind, .invalidValue, title)
                    continue
                }
                let outcome = try service(kind).outcome(message: message, response: response, at: at)
                XCTAssertEqual(outcome.status, status, title)
                XCTAssertEqual(outcome.body, body, title)
                let expected = (row["expect"] ?? row["outcome"]) as? [String: Any] ?? [:]
                let told = told(outcome)
                XCTAssertEqual(wire("\(outcome.kind)"), (expected["outcome"] ?? expected["name"]) as? String, title)
                for (key, value) in expected where key != "outcome" && key != "name" {
                    XCTAssertEqual(told[key], value as? NSObject, "\(title): \(key)")
                }
                for key in ["id", "reason", "replacement", "since_ms"] where expected[key] == nil {
                    XCTAssertNil(told[key], "\(title): \(key)")
                }
            }
        }
        XCTAssertGreaterThan(count, 200)
    }

    private func told(_ outcome: Outcome) -> [String: NSObject] {
        var told: [String: NSObject] = [
            "known": NSNumber(value: outcome.reasonIsKnown), "unknown_reason": NSNumber(value: !outcome.reasonIsKnown),
            "refreshable": NSNumber(value: outcome.refreshable), "reconnect": NSNumber(value: outcome.reconnect),
            "suspects": outcome.suspects.map { "\($0)" } as NSArray,
        ]
        told["id"] = outcome.id as NSString?
        told["unique_id"] = outcome.uniqueId as NSString?
        told["reason"] = outcome.reason as NSString?
        told["replacement"] = outcome.replacement as NSString?
        told["location"] = outcome.location as NSString?
        told["receipt"] = outcome.receipt as NSString?
        told["ttl"] = outcome.ttl.map { NSNumber(value: Int($0)) }
        told["since_ms"] = outcome.since.map { NSNumber(value: Int(($0.timeIntervalSince1970 * 1000).rounded())) }
        told["after"] = outcome.after.map { NSNumber(value: Int($0)) }
        told["after_s"] = told["after"]
        told["scope"] = outcome.scope.map { "\($0)" as NSString }
        told["clock_skew"] = outcome.clockSkew.map { NSNumber(value: $0) }
        return told
    }

    func testEndpointsAndTopics() throws {
        let vectors = try json("tests/vectors/webpush.json")
        let endpoints = try XCTUnwrap(vectors["endpoints"] as? [String: [String]])
        let any = try Service.webPushKey(
            key: newKey(), subject: "mailto:push@example.com", policy: EndpointPolicy(anyPublicHost: true))
        let plain = try service(.webPush)
        func allows(_ service: Service, _ url: String) throws -> Bool {
            let message = try webPush(payload: WebPushPayload()).to(#"{"endpoint":\#(try text([url]).dropFirst().dropLast())}"#)
            return (try? service.request(message: message, at: earlier)) != nil
        }
        for url in endpoints["allowed"] ?? [] { XCTAssertTrue(try allows(plain, url), url) }
        for url in endpoints["refused"] ?? [] {
            XCTAssertFalse(try allows(plain, url), url)
            XCTAssertFalse(try allows(any, url), url)
        }
        for url in endpoints["refused_by_default"] ?? [] {
            XCTAssertFalse(try allows(plain, url), url)
            XCTAssertTrue(try allows(any, url), url)
        }
        for row in rows(vectors, "topics") {
            let topic = row["text"] as? String ?? ""
            let request = try? plain.request(
                message: webPush(payload: WebPushPayload(topic: topic)).to(#"{"endpoint":"https://web.push.apple.com/x"}"#), at: earlier)
            XCTAssertEqual(request != nil, row["ok"] as? Bool, topic)
            if let request { XCTAssertEqual(headers(request)["topic"], row["apple"] as? String, topic) }
        }
    }
}
