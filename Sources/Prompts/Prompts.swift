package import Clocks
import DequeModule
package import Logging
package import TokenService

/// Asks people for PINs and MFA codes: one prompt at a time, in the order in which they are needed.
package actor Prompts {
    package private(set) var settings: PromptSettings
    private let home: String?
    private let pinentry: @Sendable () -> any Pinentry
    private let clock: AgentClock
    private let log: Logger
    private var current: Current?
    private var queue: Deque<Waiting> = []
    private var isEnded = false
    /// Those that run.
    private var programs: [ObjectIdentifier: CodeProgram] = [:]

    /// What is asked for.
    private enum Subject: Hashable {
        case token(TokenKey)
        /// The serial of an MFA device.
        case device(String)
    }

    private struct Current {
        let subject: Subject
        let pinentry: any Pinentry
        /// An answer that ends the prompt instead of the person's.
        var answer: PromptAnswer?
    }

    private struct Waiting {
        let subject: Subject
        /// An answer, or nil for a turn.
        let continuation: CheckedContinuation<PromptAnswer?, Never>
    }

    /// A prompt does not begin with less time than this: one that vanishes while a person types is worse than none.
    private static let shortest: Int64 = 5000

    /// - Parameter pinentry: Makes one for a question.
    package init(
        settings: PromptSettings, home: String?, pinentry: @escaping @Sendable () -> any Pinentry, clock: AgentClock,
        log: Logger
    ) {
        self.pinentry = pinentry
        self.settings = settings
        self.home = home
        self.clock = clock
        self.log = log
    }

    package func replace(_ settings: PromptSettings) { self.settings = settings }

    /// Asks for a token's PIN. Callers who need the same token share one login, so that there is one prompt for it.
    ///
    /// Waiting for other tokens' prompts and typing have one time together, because a client waits for both.
    package func ask(
        for token: PromptedToken, _ purpose: LoginPurpose, after error: String?
    ) async -> PromptAnswer {
        await ask(
            .token(token.key), PromptQuestion(for: token, purpose: purpose, home: home, after: error), purpose,
            ["token": "\(token.key.token.plainName)"])
    }

    /// Asks for the next code of an MFA device, in the same line.
    ///
    /// - Returns: What was typed as a PIN, whatever it is.
    package func ask(forCodeOf serial: String, _ purpose: LoginPurpose) async -> PromptAnswer {
        await ask(
            .device(serial), PromptQuestion(forCodeOf: serial, purpose: purpose, home: home), purpose,
            ["mfa-serial": "\(serial)"])
    }

    /// The code that a program prints, which ends where prompts do. Several run at a time: no person is in their way.
    package func code(from program: CodeProgram) async -> Result<HeldPIN, CodeProgram.Failure> {
        guard !isEnded else { return .failure(.unwanted) }
        programs[ObjectIdentifier(program)] = program
        defer { programs[ObjectIdentifier(program)] = nil }
        return await program.run(clock: clock)
    }

    private func ask(
        _ subject: Subject, _ question: PromptQuestion, _ purpose: LoginPurpose, _ metadata: Logger.Metadata
    ) async -> PromptAnswer {
        guard !isEnded else { return .declined(.cancelled) }
        let deadline = clock.boot() + Int64(settings.timeoutSeconds) * 1000
        let hasWaited = current != nil
        if hasWaited {
            let answer = await withCheckedContinuation { queue.append(Waiting(subject: subject, continuation: $0)) }
            if let answer { return answer }
        }
        let mine = current ?? Current(subject: subject, pinentry: pinentry())  // handed on by the one before it
        current = mine
        defer { passOn() }
        guard let program = settings.executable else { return .failed(settings.notice ?? "there is no pinentry") }
        guard let seconds = Self.seconds(left: deadline - clock.boot(), hasWaited: hasWaited) else {
            return .failed("another prompt took all the time")
        }
        let others: Logger.Metadata = [
            "profile": "\(purpose.session?.profile ?? "")",
            "asked-by": "\(Ancestry(of: purpose.asking.processID).describe())", "program": "\(program)",
        ]
        if case .token = subject {
            log.notice("asking for a PIN", metadata: others.merging(metadata) { $1 })
        } else {
            log.notice("asking for an MFA code", metadata: others.merging(metadata) { $1 })
        }
        let answer = await mine.pinentry.ask(
            question, at: purpose.asking.place, program: program, home: home, seconds: seconds, clock: clock)
        return current?.answer ?? answer
    }

    /// How long a prompt stays; nil where the one before it has left too little. The milliseconds that the agent itself has
    /// taken are not the person's.
    static func seconds(left: Int64, hasWaited: Bool) -> Int? {
        hasWaited && left < shortest ? nil : Int((left + 999) / 1000)
    }

    /// A PIN for a token that is asked for, or stands in line: it came by another way, and ends the prompt.
    ///
    /// - Returns: Whether a caller waits for it.
    package func supply(_ answer: PromptAnswer, for key: TokenKey) -> Bool {
        if let asked = current, asked.subject == .token(key) {
            guard asked.answer == nil else { return false }  // it is at its end already
            current?.answer = answer
            current?.pinentry.end()
            return true
        }
        guard let index = queue.firstIndex(where: { $0.subject == .token(key) }) else { return false }
        queue.remove(at: index).continuation.resume(returning: answer)
        return true
    }

    /// Ends every prompt and program, and lets none begin any more: the agent ends.
    package func end() {
        isEnded = true
        cancelAll()
    }

    /// Ends every prompt and program: all was locked.
    package func cancelAll() {
        for program in programs.values { program.end() }
        for waiting in queue { waiting.continuation.resume(returning: .declined(.cancelled)) }
        queue = []
        guard current?.answer == nil else { return }
        current?.answer = .declined(.cancelled)
        current?.pinentry.end()
    }

    /// Hands the turn on before anybody else can take it.
    private func passOn() {
        guard let next = queue.popFirst() else {
            current = nil
            return
        }
        current = Current(subject: next.subject, pinentry: pinentry())
        next.continuation.resume(returning: nil)
    }
}
