import Foundation
import XCTest

@testable import Pushcore

let root = URL(fileURLWithPath: ProcessInfo.processInfo.environment["PUSHCORE_ROOT"] ?? "../..")

/// JSON with its text: objects keep the form that the file has, because values of the caller's own are sent as written.
func json(_ path: String) throws -> [String: Any] {
    let data = try Data(contentsOf: root.appendingPathComponent(path))
    return try XCTUnwrap(JSONSerialization.jsonObject(with: data) as? [String: Any])
}

/// The texts of the objects in a list of a file, as they are written but for white space between the values: Foundation's JSON
/// orders keys and writes numbers as it likes, and what is sent byte for byte would not be what the vectors say.
struct Written {
    /// Member name, and the text of its value.
    let members: [String: String]

    static func rows(_ path: String, _ list: String) throws -> [Written] {
        let file = Array(try Data(contentsOf: root.appendingPathComponent(path)))
        guard let rows = parts(compact(file[...])).first(where: { $0.name == list })?.value else { return [] }
        return parts(rows).map { row in
            let members = parts(row.value).map { ($0.name, String(decoding: $0.value, as: UTF8.self)) }
            return Written(members: Dictionary(members, uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func compact(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (out, quoted, escaped) = ([UInt8](), false, false)
        for byte in text {
            if quoted || ![32, 10, 13, 9].contains(byte) { out.append(byte) }
            if escaped { escaped = false } else if byte == 92 { escaped = quoted } else if byte == 34 { quoted.toggle() }
        }
        return out[...]
    }

    /// The members of a compact object, or the elements of a list with an empty name.
    private static func parts(_ text: ArraySlice<UInt8>) -> [(name: String, value: ArraySlice<UInt8>)] {
        var (found, depth, quoted, escaped) = ([(name: String, value: ArraySlice<UInt8>)](), 0, false, false)
        var (start, name) = (text.startIndex + 1, "")
        for at in text.indices {
            let byte = text[at]
            if escaped { escaped = false; continue }
            if byte == 92 { escaped = quoted; continue }
            if byte == 34 { quoted.toggle() }
            if quoted { continue }
            if depth == 1 && byte == 58 && text.first == 123 {
                name = String(decoding: text[(start + 1)..<(at - 1)], as: UTF8.self)
                start = at + 1
            }
            if depth == 1 && (byte == 44 || byte == 125 || byte == 93) && at > start {
                found.append((name, text[start..<at]))
                (start, name) = (at + 1, "")
            }
            if byte == 123 || byte == 91 { depth += 1 }
            if byte == 125 || byte == 93 { depth -= 1 }
        }
        return found
    }
}

func text(_ value: Any) throws -> String {
    if let text = value as? String { return text }
    let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .withoutEscapingSlashes]
    return String(decoding: try JSONSerialization.data(withJSONObject: value, options: options), as: UTF8.self)
}

/// The failure that a call throws.
func failure(_ call: () throws -> Void, file: StaticString = #filePath, line: UInt = #line) -> Failure? {
    do {
        try call()
        XCTFail("nothing was thrown", file: file, line: line)
    } catch let error as PushError {
        return error.failure
    } catch {
        XCTFail("another error: \(error)", file: file, line: line)
    }
    return nil
}

extension PushError {
    var failure: Failure {
        switch self {
        case .Credentials(let failure), .Message(let failure), .Tls(let failure), .Transport(let failure),
            .NoAnswer(let failure), .Misuse(let failure), .Internal(let failure):
            failure
        }
    }
}

/// `InvalidToken` for `.invalidToken`: the names of the vectors.
func kindName(_ kind: ErrorKind) -> String { "\(kind)".lowercased() }

func wire(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
}

/// A P-256 key made now: 32 random octets are one, all but certainly.
func newKey() -> Data {
    let scalar = Data((0..<32).map { UInt8.random(in: ($0 == 0 ? 1...254 : 0...255)) })
    return Data(base64url(scalar).utf8)
}

func base64url(_ data: Data) -> String {
    data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
        .replacingOccurrences(of: "=", with: "")
}

func fromBase64url(_ text: String) -> Data? {
    let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
}
