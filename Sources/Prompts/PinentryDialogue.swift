package import Clocks
import Files
import Glibc
import LockedMemory
import TokenService

/// The dialogue with a pinentry on two pipes: one question for one PIN.
///
/// Pinentry is not trusted to be in order: its lines are bounded in length and number, and its time is bounded. The PIN
/// goes from the pipe into a locked page, and from there into its own.
package struct PinentryDialogue: ~Copyable {
    private let input: Int32
    private let output: Int32
    /// The beginning of a line whose end has not come.
    private var page: SecretBuffer
    /// In milliseconds of boot time.
    private let deadline: Int64
    private let clock: AgentClock

    /// Replies to one command may have some comments and status lines before their end.
    private static let mostLines = 100

    /// - Parameters:
    ///   - input: Pinentry's standard input; non-blocking reads and writes are waited for.
    ///   - output: Pinentry's standard output.
    ///   - deadline: In milliseconds of boot time; past it the answer is `.timedOut`.
    /// - Returns: Nil without memory.
    package init?(input: Int32, output: Int32, deadline: Int64, clock: AgentClock) {
        guard let page = SecretBuffer(capacity: 4096, isLocked: true) else { return nil }
        self.page = page
        self.input = input
        self.output = output
        self.deadline = deadline
        self.clock = clock
    }

    private enum Fault: Error {
        case late
        case ended
        case nonsense(String)
        case refused(code: Int, text: String)
        case pin(PINError)
    }

    /// Asks. Pinentry may be gone or still running afterwards.
    package mutating func ask(_ question: PromptQuestion, at place: PromptPlace, seconds: Int) -> PromptAnswer {
        do throws(Fault) {
            try expectOK()
            // An older pinentry knows fewer options, and one for a terminal needs no display.
            for (name, value) in place.options { try? tell("OPTION", "\(name)=\(value)") }
            try tell("SETTIMEOUT", "\(seconds)")  // always: the keys that cancel do not work on every terminal
            try tell("SETTITLE", question.title)
            try tell("SETDESC", question.description)
            try tell("SETPROMPT", question.label)
            if let error = question.error { try tell("SETERROR", error) }
            try send(Array("GETPIN\n".utf8))
            let pin = try readPIN()
            try? send(Array("BYE\n".utf8))  // its end is waited for in any case
            return .pin(HeldPIN(pin))
        } catch {
            switch error {
            case .late: return .declined(.timedOut(seconds: seconds))
            case .ended: return .failed("pinentry ended without an answer")
            case .nonsense(let what): return .failed("pinentry's answer makes no sense: \(what)")
            case .refused(code: 62, _): return .declined(.timedOut(seconds: seconds))  // GPG_ERR_TIMEOUT
            // GPG_ERR_CANCELED, GPG_ERR_FULLY_CANCELED
            case .refused(code: 99, _), .refused(code: 198, _): return .declined(.cancelled)
            case .refused(let code, let text): return .failed(Self.reason(code, text))
            case .pin(.empty): return .declined(.empty)
            case .pin(let error): return .declined(.unusable(error))
            }
        }
    }

    /// Why pinentry does not ask, in its own words and, where they are a riddle, in ours.
    private static func reason(_ code: Int, _ text: String) -> String {
        let said = text.isEmpty ? "its error \(code)" : "\(text) (its error \(code))"
        guard code == 32_870 else { return "pinentry cannot ask: \(said)" }  // GPG_ERR_ENOTTY
        return
            "pinentry cannot ask: \(said): it found no display that it can use and no terminal. pinentry-gnome3 needs"
            + " the session's bus (DBUS_SESSION_BUS_ADDRESS); name another program in [prompt], or use a terminal"
    }

    private mutating func tell(_ name: String, _ text: String) throws(Fault) {
        try send(AssuanLine.command(name, text))
        try expectOK()
    }

    private mutating func expectOK() throws(Fault) {
        try readReply(else: "it is not OK") { _ throws(Fault) in throw .nonsense("it is not OK") }
    }

    /// Reads the lines of a reply, whose last one is OK or an error.
    ///
    /// - Parameters:
    ///   - fault: The name of any other line, in the failure.
    ///   - take: Gets the escaped bytes of each line of data.
    private mutating func readReply(
        else fault: String, _ take: (Span<UInt8>) throws(Fault) -> Void
    ) throws(Fault) {
        for _ in 0..<Self.mostLines {
            let line = try nextLine { (line) throws(Fault) in
                let kind = AssuanLine(line)
                if case .data(let start) = kind { try take(line.extracting(min(start, line.count)...)) }
                return kind
            }
            switch line {
            case .ok: return
            case .error(let code, let text): throw .refused(code: code, text: text)
            case .data, .other: continue
            case .unexpected: throw .nonsense(fault)
            }
        }
        throw .nonsense("no end of lines")
    }

    /// Puts the data before the next OK together, in the PIN's own page.
    private mutating func readPIN() throws(Fault) -> PIN {
        var fault: Fault?
        do throws(PINError) {
            return try unsafe PIN { (room) throws(PINError) in
                do throws(Fault) {
                    return try unsafe self.readData(into: room)
                } catch {
                    fault = error
                    throw .empty
                }
            }
        } catch {
            throw fault ?? .pin(error)
        }
    }

    private mutating func readData(into room: UnsafeMutableRawBufferPointer) throws(Fault) -> Int {
        var count = 0
        try readReply(else: "no data and not OK") { (data) throws(Fault) in
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...])
            guard let added = unsafe AssuanLine.unescape(data, into: free) else { throw .pin(.tooLong) }
            count += added
        }
        return count
    }

    // MARK: Bytes

    /// Lends the next line without its end, and wipes it afterwards.
    private mutating func nextLine<Result>(_ use: (Span<UInt8>) throws(Fault) -> Result) throws(Fault) -> Result {
        var scanned = 0
        while true {
            let end = page.withBytes { bytes in
                (scanned..<bytes.count).first { bytes[$0] == UInt8(ascii: "\n") }
            }
            if let end {
                guard end <= AssuanLine.longest else { throw .nonsense("a line of more than 1000 bytes") }
                defer { page.removeFirst(end + 1) }
                return try page.withBytes { (bytes) throws(Fault) in try use(bytes.extracting(..<end)) }
            }
            scanned = page.count
            guard scanned <= AssuanLine.longest else { throw .nonsense("a line of more than 1000 bytes") }
            try wait(for: output, POLLIN)
            var error: Int32 = 0
            let count = unsafe page.append { room in
                let count = uninterrupted { unsafe read(output, room.baseAddress, room.count) }
                if count < 0 { error = errno }
                return max(0, count)
            }
            if error == EAGAIN { continue }
            guard count > 0 else { throw .ended }
        }
    }

    private func send(_ line: [UInt8]) throws(Fault) {
        var sent = 0
        while sent < line.count {
            try wait(for: input, POLLOUT)
            let count = uninterrupted {
                unsafe line[sent...].withUnsafeBytes { unsafe write(input, $0.baseAddress, $0.count) }
            }
            if count < 0, errno == EAGAIN { continue }
            guard count > 0 else { throw .ended }
            sent += count
        }
    }

    private func wait(for descriptor: Int32, _ event: Int32) throws(Fault) {
        while true {
            let left = deadline - clock.boot()
            guard left > 0 else { throw .late }
            var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            let ready = unsafe poll(&entry, 1, Int32(clamping: left))
            if ready > 0 { return }
            guard ready == 0 || errno == EINTR else { throw .ended }
        }
    }
}
