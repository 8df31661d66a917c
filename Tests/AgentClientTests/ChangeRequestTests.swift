import LockedMemory
import Outcomes
import Testing

@testable import AgentClient

@Suite("Requests that change something")
struct ChangeRequestTests {
    private func text(_ request: borrowing SecretBuffer) -> String {
        request.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }

    /// A PIN that arrives in these pieces.
    private func entry(_ pieces: [String]) throws(ClientFailure) -> PINEntry {
        var left = pieces[...]
        return try PINEntry { (buffer) throws(ClientFailure) in
            guard let piece = left.popFirst() else { return 0 }
            try buffer.insert(Array(piece.utf8).span, before: buffer.count)
            return piece.utf8.count
        }
    }

    @Test("Unlock carries URI and PIN as JSON strings, and their exact length")
    func unlock() throws {
        let request = try ChangeRequest.unlock(
            uri: "pkcs11:a\"b\\c\u{1}\u{1f}é", pin: entry(["1\"\\", "é\n"]), isFromLogin: false)
        let body = #"{"uri":"pkcs11:a\"b\\c\u0001\u001fé","pin":"1\"\\é"}"#
        #expect(
            text(request)
                == "POST /v1/tokens/unlock HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
    }

    @Test("Without a PIN the agent uses the stored one")
    func stored() throws {
        let request = try ChangeRequest.unlock(uri: "pkcs11:a", pin: nil, isFromLogin: false)
        #expect(text(request).hasSuffix("\r\n\r\n{\"uri\":\"pkcs11:a\"}"))
    }

    @Test("A PIN that a login handed over is told apart")
    func fromLogin() throws {
        let request = try ChangeRequest.unlock(uri: "pkcs11:a", pin: entry(["1"]), isFromLogin: true)
        #expect(text(request).hasSuffix(#"{"uri":"pkcs11:a","origin":"login","pin":"1"}"#))
    }

    @Test("A URI that no request has room for is a usage error")
    func tooLong() {
        var exit: ExitCode?
        do throws(ClientFailure) {
            _ = try ChangeRequest.lock(uri: "pkcs11:" + String(repeating: "a", count: 20_000))
        } catch {
            exit = error.exit
        }
        #expect(exit == .usage)
    }

    @Test(
        "A PIN may come in any pieces, and ends at its line end",
        arguments: [
            (["1234"], "1234"), (["12", "34\n"], "1234"), (["1", "2", "3", "\r", "\n"], "123"), (["1\n", "2"], "1"),
            (["\n"], nil), ([], nil), (["1\n2"], nil), (["1\r\r\n"], nil),
        ] as [([String], String?)])
    func pieces(pieces: [String], pin: String?) {
        var read: String?
        do throws(ClientFailure) {
            let entry = try entry(pieces)
            entry.withBytes { bytes in read = String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
        } catch {
            read = nil  // refused
        }
        #expect(read == pin)
    }
}
