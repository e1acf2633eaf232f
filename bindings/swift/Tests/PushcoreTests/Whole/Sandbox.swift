import Foundation
import XCTest

@testable import Pushcore

/// The sandbox as a child process, with what it says when everything listens.
final class Sandbox: @unchecked Sendable {
    private let process = Process()
    private let input = Pipe()
    let ready: [String: Any]

    init(_ arguments: String...) throws {
        let program = ProcessInfo.processInfo.environment["PUSHCORE_SANDBOX"] ?? ""
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--exit-with-stdin"] + arguments
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var line = Data()
        while !line.contains(10) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw CocoaError(.fileReadUnknown) }
            line += more
        }
        ready = try XCTUnwrap(JSONSerialization.jsonObject(with: line) as? [String: Any])
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func part(_ name: String) -> [String: Any] { ready[name] as? [String: Any] ?? [:] }

    func string(_ path: String...) -> String {
        var value: Any = ready
        for name in path { value = (value as? [String: Any])?[name] ?? "" }
        return value as? String ?? ""
    }

    func file(_ path: String...) throws -> Data {
        var value: Any = ready
        for name in path { value = (value as? [String: Any])?[name] ?? "" }
        return try Data(contentsOf: URL(fileURLWithPath: value as? String ?? ""))
    }

    func options() throws -> ClientOptions { ClientOptions(ca: try file("ca_file"), bundledRoots: false) }

    /// APNs, all of it behind one of the sandbox's addresses: `authority`, `management` or `broadcast`.
    func apns(_ place: String = "authority") throws -> Service {
        try Service.apnsKey(
            key: file("apns", "p8_file"), keyId: string("apns", "key_id"), teamId: string("apns", "team_id"),
            environment: string("apns", "environment") == "production" ? .production : .sandbox,
            host: string("apns", place))
    }

    func fcm() throws -> Service {
        let host = string("fcm", "authority")
        return try Service.fcmFile(file: file("fcm", "service_account_file"), host: host, tokenHost: host)
    }

    func webPush() throws -> Service {
        let policy = EndpointPolicy(trusted: [string("webpush", "authority")])
        return try Service.webPushKey(
            key: file("webpush", "vapid", "pem_file"), subject: string("webpush", "vapid", "subject"), policy: policy)
    }

    func adm() throws -> Service {
        let host = string("adm", "authority")
        return try Service.admProfile(
            clientId: string("adm", "client_id"), clientSecret: string("adm", "client_secret"), host: host, tokenHost: host)
    }

    func baidu() throws -> Service {
        try Service.baiduKeys(
            apiKey: string("baidu", "api_key"), secretKey: string("baidu", "secret_key"), host: string("baidu", "authority"))
    }

    func alert() throws -> Message {
        try apnsAlert(alert: ApnsAlert(bundle: string("apns", "topic"), title: "Hello"))
    }

    func token(_ name: String) -> String { string("apns", "tokens", name) }
}
