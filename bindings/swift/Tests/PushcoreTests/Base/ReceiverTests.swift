import Foundation
import XCTest

@testable import Pushcore

/// What every build has: keys and decryption of Web Push.
final class ReceiverTests: XCTestCase {
    func testReceived() throws {
        let rows = try XCTUnwrap(json("tests/vectors/webpush.json")["receive"] as? [[String: Any]])
        XCTAssertGreaterThanOrEqual(rows.count, 12)
        for row in rows {
            let title = row["name"] as? String ?? ""
            let key = Data((row["private_key"] as? String ?? "").utf8)
            let keys = try ReceiverKeys.restore(privateKey: key, auth: row["auth"] as? String ?? "")
            let body = try XCTUnwrap(fromBase64url(row["body"] as? String ?? ""))
            let open = {
                guard let cryptoKey = row["crypto_key"] as? String else { return try keys.decrypt(body: body) }
                return try keys.decryptAesgcm(body: body, cryptoKey: cryptoKey, encryption: row["encryption"] as? String ?? "")
            }
            if let error = row["error"] as? String {
                XCTAssertEqual(failure({ _ = try open() }).map { kindName($0.kind) }, error.lowercased(), title)
            } else {
                XCTAssertEqual(String(decoding: try open(), as: UTF8.self), row["plain"] as? String, title)
            }
        }
    }

    func testKeysAreMadeKeptAndRestored() throws {
        let keys = try ReceiverKeys.generate()
        let again = try ReceiverKeys.restore(privateKey: Data(keys.export().utf8), auth: keys.auth())
        XCTAssertEqual(try keys.p256dh(), try again.p256dh())
        let json = Data(try again.subscriptionJson(endpoint: "https://push.example.org/1").utf8)
        let subscription = try XCTUnwrap(JSONSerialization.jsonObject(with: json) as? [String: Any])
        let told = try XCTUnwrap(subscription["keys"] as? [String: String])
        XCTAssertEqual(told, ["p256dh": try keys.p256dh(), "auth": try keys.auth()])
    }

    func testADecryptedMessageIsReadAsABrowserDoes() throws {
        let declarative = #"{"web_push":8030,"notification":{"title":"t","navigate":"https://example.org/"}}"#
        guard case .declarative = try readReceived(plain: Data(declarative.utf8)) else { return XCTFail("not declarative") }
        XCTAssertEqual(try readReceived(plain: Data(#"{"a":1}"#.utf8)), .json(json: #"{"a":1}"#))
        XCTAssertEqual(try readReceived(plain: Data([1, 2])), .bytes(bytes: Data([1, 2])))
    }

    func testBadInputIsThrown() throws {
        let keys = try ReceiverKeys.generate()
        XCTAssertEqual(failure { _ = try keys.decrypt(body: Data()) }?.kind, .invalidCiphertext)
        let large = Data(repeating: 65, count: 4 * 1024 * 1024)
        XCTAssertEqual(failure { _ = try keys.decrypt(body: large) }.map { $0.number / 100 }, 2)
        XCTAssertEqual(failure { _ = try ReceiverKeys.restore(privateKey: Data(), auth: "") }.map { $0.number / 100 }, 1)
    }
}
