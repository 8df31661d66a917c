import TokenService

/// What may have cost a token a try, remembered whatever becomes of the agent. Two modules may show one card, so each of
/// these looks at all of them.
extension Tokens {
    /// What this token has refused.
    func refusedPINs(of token: FoundToken) -> [FailedPIN] {
        access.filter { $0.key.token == token.snapshot.token }.flatMap(\.value.refused)
    }

    func remember(_ failed: FailedPIN, of key: TokenKey) {
        access[key, default: TokenAccess()].refused.append(failed)
        saveTries()
    }

    func forget(refusedPINsOf token: FoundToken) {
        guard !refusedPINs(of: token).isEmpty else { return }
        for key in access.keys where key.token == token.snapshot.token { access[key]?.refused = [] }
        saveTries()
    }

    /// Whether a PIN was sent to this token that was not judged, or not that anybody knows.
    func owesAnswer(_ token: FoundToken) -> Bool {
        access.contains { $0.key.token == token.snapshot.token && $0.value.owesAnswer }
    }

    /// Written before the PIN is sent: a module that crashes in C_Login takes the answer with it, and an agent that is
    /// killed there would otherwise send the same PIN when it is started again.
    func expectAnswer(from key: TokenKey) {
        access[key, default: TokenAccess()].unansweredCalls += 1
        saveTries()
    }

    /// The end of what `expectAnswer` began, whatever a person has forgiven meanwhile.
    func noteAnswer(_ answer: Result<LoginOutcome, ModuleFailure>, from key: TokenKey) {
        access[key]?.unansweredCalls -= 1
        if answer.leavesPINInDoubt { access[key]?.owesAnswer = true }
        saveTries()
    }

    /// The end of a call that has sent a stored PIN which the token had taken before: such a PIN is sent once more where
    /// nothing has judged it, and the next call counts as any other.
    ///
    /// - Parameter isSignature: A crash was perhaps the signature's, and a login comes before the next one: it is not
    ///   counted, so that a module that dies now and then needs no person.
    func noteRepeat(
        _ answer: Result<LoginOutcome, ModuleFailure>, from key: TokenKey, isSignature: Bool = false
    ) {
        guard answer.leavesPINInDoubt else { return }
        var isUnanswered = true  // a code that nobody knows would come again
        if case .failure(let failure) = answer {
            // Who kills workers from outside has no part in what the module does with the PIN.
            if failure.saysKilled { return }
            isUnanswered = !isSignature && access[key]?.unjudgedRepeats.note(at: clock.boot()) == false
        }
        access[key]?.takenPIN = nil
        guard isUnanswered else { return }
        access[key]?.owesAnswer = true
        saveTries()
    }

    /// A person has looked at it.
    func forgive(_ token: FoundToken) {
        guard owesAnswer(token) else { return }
        for key in access.keys where key.token == token.snapshot.token { access[key]?.owesAnswer = false }
        saveTries()
    }

    private func saveTries() {
        let content = RefusedPINs.Content(
            refused: access.mapValues(\.refused).filter { !$0.value.isEmpty },
            unanswered: Set(access.filter { $0.value.owesAnswer || $0.value.unansweredCalls > 0 }.keys))
        if !refusedPINs.save(content) {
            log.warning(
                "refused PINs are not written, so a restart forgets them",
                metadata: ["file": "\(refusedPINs.file.path)"])
        }
    }
}

extension ModuleFailure {
    fileprivate var saysKilled: Bool {
        if case .lost(let loss) = self { loss.cause == .killed } else { false }
    }
}

extension Result<LoginOutcome, ModuleFailure> {
    var mayHaveSentPIN: Bool {
        switch self {
        case .success(.loggedIn), .success(.rejected): true
        case .success(.notNeeded), .success(.refused), .failure: leavesPINInDoubt
        }
    }

    /// Whether the PIN may have cost a try without having been judged.
    var leavesPINInDoubt: Bool {
        switch self {
        case .failure(.lost(let loss)): loss.wasSent
        case .failure(.refused(let failure)): failure.leavesPINInDoubt
        // A code that says nothing of the PIN, which is therefore not known again.
        case .success(.rejected(_, _, failed: nil)): true
        case .success, .failure: false
        }
    }
}
