import CLinux
import Glibc
import LockedMemory

/// A PIN as a person or a program hands it over: in locked pages, never a `String`, checked before it is sent.
///
/// The request is made around it in the same pages, so that this process has it once.
package struct PINEntry: ~Copyable {
    private let bytes: SecretBuffer

    /// Reads one line from standard input; exactly one line end is taken off, or the zero byte that ends a C string.
    ///
    /// - Throws: Exit code 64 for a terminal, a second line, or bytes that are no PIN.
    package static func fromStandardInput(_ kind: Kind = .pin) throws(ClientFailure) -> PINEntry {
        try SecretBuffer.checkStandardInput(for: "the \(kind.rawValue)", option: kind.option)
        return try PINEntry(kind) { (buffer) throws(ClientFailure) in
            try buffer.readSome(from: STDIN_FILENO)
        }
    }

    /// Takes a line from `read`, which appends some bytes to the buffer and returns how many; 0 at the end.
    init(_ kind: Kind = .pin, read: (inout SecretBuffer) throws(ClientFailure) -> Int) throws(ClientFailure) {
        guard let buffer = try SecretBuffer.line(read: read) else {
            throw kind.refused("the \(kind.rawValue) must be one line")
        }
        try buffer.withBytes { (bytes) throws(ClientFailure) in try kind.check(bytes) }
        bytes = buffer
    }

    /// Lends the bytes for the length of `body`, which must not keep or copy them.
    package borrowing func withBytes<Failure: Error>(_ body: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) {
        try bytes.withBytes(body)
    }
}

extension PINEntry {
    /// What is handed over; the raw value is its name.
    package enum Kind: String, Sendable {
        case pin = "PIN"
        case mfaCode = "MFA code"

        fileprivate var option: String { self == .pin ? "--pin-stdin" : "--mfa-stdin" }

        fileprivate func check(_ bytes: Span<UInt8>) throws(ClientFailure) {
            do throws(PINError) {
                try PIN.check(bytes)
            } catch {
                switch error {
                case .empty: throw refused("no \(rawValue) was given")
                case .tooLong: throw refused("the \(rawValue) is longer than \(PIN.capacity) bytes")
                case .controlByte: throw refused("the \(rawValue) has a control character in it")
                case .notUTF8, .noMemory, .unreadable, .unsafeFile: throw refused("the \(rawValue) is not UTF-8")
                }
            }
        }

        fileprivate func refused(_ detail: String) -> ClientFailure {
            ClientFailure(
                .usage, detail,
                hint:
                    "give the \(rawValue) as one line of text; \(self == .pin ? "the token was not asked" : "it was not sent")"
            )
        }
    }
}

extension PINEntry {
    /// The PIN's own pages, with the PIN in them as a string of JSON (RFC 8259 §7). It has no control characters.
    consuming func jsonString() throws(ClientFailure) -> SecretBuffer { try bytes.jsonString() }
}

extension SecretBuffer {
    /// - Throws: Exit code 64 where standard input is a terminal.
    static func checkStandardInput(for secret: String, option: String) throws(ClientFailure) {
        guard isatty(STDIN_FILENO) == 0 else {
            throw ClientFailure(
                .usage, "standard input is a terminal, and would show \(secret)",
                hint: "leave \(option) out, or send \(secret) through a pipe")
        }
    }

    /// Takes a line from `read`, without its end; nil where there is more than one line.
    static func line(
        read: (inout SecretBuffer) throws(ClientFailure) -> Int
    ) throws(ClientFailure) -> SecretBuffer? {
        var buffer = try SecretBuffer.make(capacity: ChangeRequest.longest, isLocked: true)
        while !buffer.holdsLineEnd, try read(&buffer) > 0 {}
        buffer.removeEnd(0)
        if buffer.removeEnd(UInt8(ascii: "\n")) { buffer.removeEnd(UInt8(ascii: "\r")) }
        guard !buffer.holdsLineEnd else { return nil }
        return buffer
    }

    /// The same pages, with the line in them as a string of JSON (RFC 8259 §7). It has no control characters.
    consuming func jsonString() throws(ClientFailure) -> SecretBuffer {
        var string = self
        for index in (0..<string.count).reversed() {
            let needsEscape = string.withBytes { $0[index] == UInt8(ascii: "\"") || $0[index] == UInt8(ascii: "\\") }
            if needsEscape { try string.insert([UInt8(ascii: "\\")].span, before: index) }
        }
        for end in [0, string.count + 1] { try string.insert([UInt8(ascii: "\"")].span, before: end) }
        return string
    }
}

extension SecretBuffer {
    fileprivate var holdsLineEnd: Bool {
        withBytes { bytes in bytes.indices.contains { bytes[$0] == UInt8(ascii: "\n") } }
    }

    /// Takes the last byte away if it is this one, and returns whether it was.
    @discardableResult
    fileprivate mutating func removeEnd(_ byte: UInt8) -> Bool {
        let isEnd = withBytes { bytes in !bytes.isEmpty && bytes[bytes.count - 1] == byte }
        if isEnd { removeLast(1) }
        return isEnd
    }

    /// Appends what read(2) gives at once, and returns how many bytes; 0 at the end, and when there is no room.
    ///
    /// - Parameter name: What is read, for the message.
    mutating func readSome(from descriptor: Int32, _ name: String = "the PIN") throws(ClientFailure) -> Int {
        while true {
            var error: Int32 = 0
            let count = unsafe append { room in
                let count = unsafe read(descriptor, room.baseAddress, room.count)
                if count < 0 { error = clinux_errno() }
                return max(0, count)
            }
            switch error {
            case 0: return count
            case EINTR: continue
            default:
                throw ClientFailure(
                    .pinNeeded, "\(name) cannot be read (errno \(error))", hint: "look at where it comes from")
            }
        }
    }
}
