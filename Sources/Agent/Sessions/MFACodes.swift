import AWSNames
import AgentAPI
import Clocks
import Prompts
import STS
import Synchronization
import TokenService

/// The code that a caller has brought with the request. It travels with the task that carries the request out, and is
/// given out once.
final class BroughtCode: Sendable {
    @TaskLocal static var current: BroughtCode?

    private let code: Mutex<MFACode?>

    init(_ code: MFACode) { self.code = Mutex(code) }

    var isTaken: Bool { code.withLock { $0 == nil } }

    /// Nil where it was taken before.
    func take() -> MFACode? {
        code.withLock { code in
            defer { code = nil }
            return code
        }
    }
}

/// Has the codes of MFA devices: from the caller, from a program, or from a person. None is sent twice.
final class MFACodes: Sendable {
    private let prompts: Prompts
    private let home: String?
    private let clock: AgentClock
    /// What was sent of each device: a number that is the code's in this process, and when, in boot time.
    private let sent = Mutex<[String: [(code: Int, at: Int64)]]>([:])

    /// How often a device shows another code, in seconds (RFC 6238 §5.2).
    private static let step: Int64 = 30
    /// A code is good for its 30 seconds, and AWS takes it for one step more or less (RFC 6238 §5.2); in milliseconds.
    private static let lifetime: Int64 = 90_000

    /// - Parameter home: The user's home folder, for programs.
    init(prompts: Prompts, home: String?, clock: AgentClock) {
        self.prompts = prompts
        self.home = home
        self.clock = clock
    }

    /// Why there can be no code for the profile on this occasion; nil where there may be one. Nothing has been asked for yet.
    func refusal(of name: ProfileName, _ device: MFADevice, on occasion: Occasion) async -> Problem? {
        switch occasion {
        case .foreign: return CredentialCache.needsOwner(name)
        case .background: return .mfaNeeded(name, device)
        case .request, .demand:
            if BroughtCode.current != nil || !device.program.isEmpty { return nil }
            guard Asking.current != nil, await prompts.settings.executable != nil else {
                return .mfaNeeded(name, device)
            }
            return nil
        }
    }

    /// The next code of the device. Its sending is to be noted, once and before it is sent.
    ///
    /// - Throws: Why there is none, or none that may be sent.
    func proof(for name: ProfileName, _ device: MFADevice) async throws(Problem) -> MFAProof {
        let code = try await code(for: name, device)
        guard !wasSent(code, of: device.serial) else { throw sentAlready(device.serial, name) }
        do throws(RequestFault) {
            return try MFAProof(serial: device.serial, code: code)
        } catch {
            throw Problem(.configuration, "mfa-serial: \(error.message, .reason)", hint: "correct it")
        }
    }

    /// - Throws: Where the code was sent meanwhile.
    func noteSending(_ proof: MFAProof, for name: ProfileName) throws(Problem) {
        let (now, number) = (clock.boot(), Self.number(of: proof.code))
        let isNew = sent.withLock { sent in
            let known = sent[proof.serial, default: []].filter { now - $0.at < Self.lifetime }
            sent[proof.serial] = known + [(number, now)]
            return !known.contains { $0.code == number }
        }
        guard isNew else { throw sentAlready(proof.serial, name) }
    }

    private func code(for name: ProfileName, _ device: MFADevice) async throws(Problem) -> MFACode {
        if let brought = BroughtCode.current?.take() { return brought }
        if !device.program.isEmpty {
            let typed: HeldPIN
            do throws(CodeProgram.Failure) {
                typed = try await prompts.code(from: CodeProgram(device.program, home: home)).get()
            } catch {
                throw Problem(
                    .mfaNeeded, "\("mfa-process \(error)", .reason)",
                    hint: "run it by hand: it prints six digits and ends with status 0; or run "
                        + "'tokenward refresh \(name) --mfa-stdin'")
            }
            return try MFACode(typed, of: "what mfa-process printed is no MFA code")
        }
        guard let purpose = LoginPurpose(Asking.current, session: (profile: "\(name)", role: nil)) else {
            throw .mfaNeeded(name, device)
        }
        switch await prompts.ask(forCodeOf: device.serial, purpose) {
        case .pin(let typed): return try MFACode(typed, of: "what was typed is no MFA code")
        case .declined(.empty): throw .noCode("the MFA code is empty", name)
        case .declined(.unusable): throw .noCode("what was typed is no MFA code, which has six digits", name)
        case .declined(let decline): throw .noCode("an MFA code was asked for, and \("\(decline)", .reason)", name)
        case .failed(let reason):
            throw .noCode("an MFA code is needed, and could not be asked for: \(reason, .reason)", name)
        }
    }

    private func wasSent(_ code: MFACode, of serial: String) -> Bool {
        let (now, number) = (clock.boot(), Self.number(of: code))
        return sent.withLock { sent in
            sent[serial, default: []].contains { $0.code == number && now - $0.at < Self.lifetime }
        }
    }

    /// It is over with the device's next code.
    private func sentAlready(_ serial: String, _ name: ProfileName) -> Problem {
        var problem = Problem(
            .mfaNeeded, "this code of MFA device \(serial, .value) was sent already, and is not sent twice",
            hint: "wait for the device's next code, then run 'tokenward refresh \(name)'")
        problem.causeEnds = clock.wall() / 1000 + Self.step
        return problem
    }

    /// Keyed anew in each process.
    private static func number(of code: MFACode) -> Int { code.hashValue }
}

extension MFACode {
    /// - Parameter fault: The beginning of the line that says so of other bytes.
    fileprivate init(_ typed: HeldPIN, of fault: String) throws(Problem) {
        do throws(RequestFault) {
            self = try typed.pin.withBytes { (bytes) throws(RequestFault) in try MFACode(bytes) }
        } catch {
            throw Problem(
                .mfaNeeded, "\("\(fault): \(error.message)", .reason)", hint: "give the six digits of the next code")
        }
    }
}

extension Problem {
    static func mfaNeeded(_ name: ProfileName, _ device: MFADevice) -> Problem {
        Problem(
            .mfaNeeded, "a session of profile \(name, .profile) takes a code of MFA device \(device.serial, .value)",
            hint: "run 'tokenward refresh \(name)' on a terminal, or with --mfa-stdin")
    }

    fileprivate static func noCode(_ detail: Problem.Detail, _ name: ProfileName) -> Problem {
        Problem(.mfaNeeded, detail, hint: "run 'tokenward refresh \(name)', with the device's next code")
    }
}
