import Glibc
import LockedMemory

/// The password of a key file as a person or a program hands it over: in locked pages, never a `String`. It may be empty, and
/// there may be none.
package struct PasswordEntry: ~Copyable {
    private let bytes: SecretBuffer
    let isGiven: Bool

    /// None.
    package init() throws(ClientFailure) {
        bytes = try SecretBuffer.make(capacity: 1)
        isGiven = false
    }

    /// Reads one line from standard input.
    ///
    /// - Throws: Exit code 64 for a terminal, a second line, or bytes that are no password.
    package static func fromStandardInput() throws(ClientFailure) -> PasswordEntry {
        try SecretBuffer.checkStandardInput(for: "the file's password", option: "--password-stdin")
        return try PasswordEntry { (buffer) throws(ClientFailure) in
            try buffer.readSome(from: STDIN_FILENO, "the file's password")
        }
    }

    /// Takes a line from `read`, as `PINEntry` does.
    init(read: (inout SecretBuffer) throws(ClientFailure) -> Int) throws(ClientFailure) {
        guard let line = try SecretBuffer.line(read: read) else {
            throw Self.refused("the file's password must be one line")
        }
        try line.withBytes { (bytes) throws(ClientFailure) in try Self.check(bytes) }
        bytes = line
        isGiven = true
    }

    private static func check(_ bytes: Span<UInt8>) throws(ClientFailure) {
        guard !bytes.isEmpty else { return }
        do throws(PINError) {
            try PIN.check(bytes)
        } catch {
            let detail =
                switch error {
                case .tooLong: "the file's password is longer than \(PIN.capacity) bytes"
                case .controlByte: "the file's password has a control character in it"
                case .empty, .notUTF8, .noMemory, .unreadable, .unsafeFile: "the file's password is not UTF-8"
                }
            throw refused(detail)
        }
    }

    private static func refused(_ detail: String) -> ClientFailure {
        ClientFailure(.usage, detail, hint: "give it as one line of text; nothing was sent to the token")
    }

    /// Appends it as a string of JSON (RFC 8259 §7). It has no control characters.
    borrowing func append(to request: inout SecretBuffer) throws(ClientFailure) {
        try request.insert([UInt8(ascii: "\"")].span, before: request.count)
        try bytes.withBytes { (bytes) throws(ClientFailure) in
            for index in bytes.indices {
                if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\") {
                    try request.insert([UInt8(ascii: "\\")].span, before: request.count)
                }
                try request.insert(bytes.extracting(index..<index + 1), before: request.count)
            }
        }
        try request.insert([UInt8(ascii: "\"")].span, before: request.count)
    }
}

/// Two secrets on standard input: the PIN is the first line, the file's password the second.
package struct SecretLines: ~Copyable {
    private var rest: SecretBuffer

    /// - Throws: Exit code 64 for a terminal.
    package init() throws(ClientFailure) {
        try SecretBuffer.checkStandardInput(for: "the secrets", option: "--pin-stdin and --password-stdin")
        var lines = try SecretBuffer.make(capacity: ChangeRequest.longest, isLocked: true)
        while try lines.readSome(from: STDIN_FILENO, "standard input") > 0 {}
        rest = lines
    }

    package mutating func pin() throws(ClientFailure) -> PINEntry {
        try PINEntry { (buffer) throws(ClientFailure) in try takeLine(to: &buffer) }
    }

    /// The rest, which is one line.
    package mutating func password() throws(ClientFailure) -> PasswordEntry {
        guard rest.count > 0 else {
            throw ClientFailure(
                .usage, "standard input ends after the PIN", hint: "send the file's password as the second line")
        }
        return try PasswordEntry { (buffer) throws(ClientFailure) in try takeAll(to: &buffer) }
    }

    private mutating func takeLine(to buffer: inout SecretBuffer) throws(ClientFailure) -> Int {
        let count = rest.withBytes { bytes in
            (bytes.indices.first { bytes[$0] == UInt8(ascii: "\n") } ?? bytes.count - 1) + 1
        }
        return try take(count, to: &buffer)
    }

    private mutating func takeAll(to buffer: inout SecretBuffer) throws(ClientFailure) -> Int {
        try take(rest.count, to: &buffer)
    }

    private mutating func take(_ count: Int, to buffer: inout SecretBuffer) throws(ClientFailure) -> Int {
        let end = buffer.count
        try rest.withBytes { (bytes) throws(ClientFailure) in
            try buffer.insert(bytes.extracting(..<count), before: end)
        }
        rest.removeFirst(count)
        return count
    }
}
