import Foundation
import XCTest

@testable import Pushcore

final class BadInputTests: XCTestCase {
    private func apns() throws -> Service {
        try Service.apnsKey(key: newKey(), keyId: "ABC123DEFG", teamId: "DEF123GHIJ")
    }

    private func alert(_ title: String) throws -> Message {
        try apnsAlert(alert: ApnsAlert(bundle: "com.example.app", title: title))
    }

    func testANulIsACharacter() throws {
        XCTAssertTrue(try alert("a\u{0}b").json.contains("u0000"))
        XCTAssertEqual(failure { _ = try checkMessage(message: alert("x").to("ab\u{0}")) }?.kind, .invalidToken)
    }

    func testEmptyAndLargeArrays() throws {
        let large = Data(repeating: 65, count: 4 * 1024 * 1024)
        for key in [Data(), large] {
            let thrown = failure { _ = try Service.apnsKey(key: key, keyId: "ABC123DEFG", teamId: "DEF123GHIJ") }
            XCTAssertEqual(thrown.map { $0.number / 100 }, 1)
        }
        let keys = try ReceiverKeys.generate()
        XCTAssertEqual(failure { _ = try keys.decrypt(body: Data()) }?.kind, .invalidCiphertext)
        XCTAssertEqual(failure { _ = try keys.decrypt(body: large) }.map { $0.number / 100 }, 2)
        XCTAssertEqual(failure { _ = try webPush(payload: WebPushPayload(payload: large)) }?.kind, .payloadTooLarge)
        let outcome = try apns().outcome(message: alert("x").to("ab"), response: Response(status: 500, body: large))
        XCTAssertEqual(outcome.kind, .retryLater)
    }

    func testDurationsAndTimesThatAreNone() throws {
        let service = try apns()
        for seconds in [-1, .infinity, -.infinity, .nan, 1e300] as [TimeInterval] {
            XCTAssertEqual(failure { _ = try Client(service, options: ClientOptions(deadline: seconds)) }?.kind, .invalidValue)
            XCTAssertEqual(failure { _ = try webPush(payload: WebPushPayload(ttl: seconds)) }?.kind, .invalidValue)
        }
        for date in [Date.distantPast, Date(timeIntervalSince1970: .nan)] {
            XCTAssertEqual(failure { _ = try service.request(message: alert("x").to("ab"), at: date) }?.kind, .invalidValue)
        }
    }

    func testABatchThatIsMisused() throws {
        let client = try Client(try apns())
        XCTAssertEqual(
            failure { _ = try client.batch(template: alert("x").to("ab"), options: SendOptions()) }?.kind, .invalidTarget)
        let batch = try client.batchOfMessages(options: SendOptions())
        XCTAssertEqual(failure { _ = try batch.submit(targets: [Target(to: "ab")]) }?.kind, .misuse)
        try batch.cancel()
        let refused = try batch.submitMessages(messages: [Tagged(message: alert("x").to("ab"), tag: 7)])
        XCTAssertEqual(refused.refused.first?.failure?.kind, .cancelled)
        XCTAssertEqual(refused.refused.first?.tag, 7)
        XCTAssertEqual(try batch.wait(longest: 0), [])
    }

    func testWhatIsPrintedHoldsNoSecret() throws {
        let secret = "the-client-secret-of-adm"
        XCTAssertFalse("\(try Service.admProfile(clientId: "client", clientSecret: secret))".contains(secret))
        let thrown = failure { _ = try Service.apnsKey(key: Data("-----BEGIN \(secret)-----".utf8), keyId: "ABC123DEFG", teamId: "DEF123GHIJ") }
        XCTAssertFalse("\(String(describing: thrown))".contains(secret))
    }

    func testEveryErrorKindHasTheNumberOfTheDocumentation() throws {
        let page = try String(contentsOf: root.appendingPathComponent("docs/errors.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").compactMap { line -> String? in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
            return cells.count > 2 && Int(cells[0]) != nil ? "\(cells[0]) \(cells[1])" : nil
        }
        XCTAssertEqual(rows, errorKinds().map { "\($0.number) \($0.text)" })
    }

    func testALibraryTellsItsVersion() {
        XCTAssertEqual(libraryVersion(), "0.1.0")
    }
}
