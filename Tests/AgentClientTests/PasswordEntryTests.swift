import LockedMemory
import Testing

@testable import AgentClient

@Suite struct PasswordEntryTests {
    @Test(
        "A password is one line of text, which may be empty",
        arguments: [
            ("secret\n", #""secret""#), ("secret", #""secret""#), ("\n", #""""#), ("", #""""#),
            ("a\"b\\c\r\n", #""a\"b\\c""#),
            ("пароль\n", #""пароль""#), ("two\nlines\n", nil), ("tab\tin it\n", nil),
            (String(repeating: "x", count: 256), nil),
        ])
    func line(_ text: String, json: String?) {
        let written = try? string(entry(text))
        #expect(written == json)
    }

    @Test("None is another thing than an empty one")
    func none() throws {
        let none = try PasswordEntry()
        let empty = try entry("")
        let (isNoneGiven, isEmptyGiven) = (none.isGiven, empty.isGiven)
        #expect(!isNoneGiven)
        #expect(isEmptyGiven)
    }

    private func entry(_ text: String) throws(ClientFailure) -> PasswordEntry {
        var rest = Array(text.utf8)
        return try PasswordEntry { (buffer) throws(ClientFailure) in
            let count = rest.count
            try buffer.insert(rest.span, before: buffer.count)
            rest = []
            return count
        }
    }

    private func string(_ entry: borrowing PasswordEntry) throws -> String {
        var request = try SecretBuffer.make(capacity: 2048)
        try entry.append(to: &request)
        return request.withBytes { bytes in
            unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
        }
    }
}
