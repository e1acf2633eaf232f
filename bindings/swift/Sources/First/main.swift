import Foundation
import Pushcore

let (key, keyId, teamId, bundle, token) = (
    CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3], CommandLine.arguments[4], CommandLine.arguments[5]
)
// Where a test has a sandbox; Apple's hosts and the public roots otherwise.
let environment = ProcessInfo.processInfo.environment
let ca = environment["PUSH_CA"].flatMap { FileManager.default.contents(atPath: $0) }
let file = try Data(contentsOf: URL(fileURLWithPath: key))
let service = try Service.apnsKey(key: file, keyId: keyId, teamId: teamId, host: environment["PUSH_HOST"])
let client = try Client(service, options: ClientOptions(ca: ca))
let message = try apnsAlert(alert: ApnsAlert(bundle: bundle, title: "Hello", body: "world"))
print(try await client.send(message.to(token)).advice)
