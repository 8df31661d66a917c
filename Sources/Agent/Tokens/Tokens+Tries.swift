import TokenService

/// What may have cost a token a try, remembered whatever becomes of the agent. Two modules may show one card, so each of
/// these looks at all of them.
extension Tokens {
    /// What this token has refused.
    func refusedPINs(of token: FoundToken) -> [FailedPIN] {
        access.filter { $0.key.token == token.snapshot.token }.flatMap(\.value.refused)
    }

    func remember(_ failed: FailedPIN, of key: TokenKey) {
        let others = refused(by: key).filter { $0 != failed }
        access[key, default: TokenAccess()].refused = (others + [failed]).suffix(FailedPIN.mostOfToken)
        saveTries()
    }

    private func refused(by key: TokenKey) -> [FailedPIN] { access[key]?.refused ?? [] }

    /// Whether what a PIN may cost can still be kept. A module that shows thousands of tokens must not push out what is kept
    /// of the others'; its own get no PIN then, rather than one that nobody knows afterwards.
    func hasRoomForTries(of key: TokenKey) -> Bool {
        let kept = access.filter { $0.key.module.path == key.module.path && $0.key != key }.values
        return kept.reduce(0) { $0 + $1.refused.count + ($1.isDoubtful ? 1 : 0) } < Self.mostKeptOfModule
    }

    private static let mostKeptOfModule = 256

    /// Whether this token has refused a PIN, or has not answered to one, and no person has looked at it since.
    func hasRefused(_ token: FoundToken) -> Bool {
        let same = access.filter { $0.key.token == token.snapshot.token }.values
        return same.contains { !$0.refused.isEmpty || $0.isDoubtful || $0.refusal?.isOfToken == true }
    }

    /// Whether the token's flags leave open how many tries are left: PKCS#11 lets a token keep its count to itself, and
    /// this one has shown none although it may have counted a PIN.
    func hidesCount(_ token: FoundToken) -> Bool {
        guard access[token.key]?.showsCount != true else { return false }
        return owesAnswer(token) || !refusedPINs(of: token).isEmpty || access[token.key]?.refusal?.isOfToken == true
    }

    /// A token that shows its count once does so always.
    func noteCount(of token: FoundToken) {
        guard token.snapshot.flags.showCount, access[token.key]?.showsCount != true else { return }
        access[token.key, default: TokenAccess()].showsCount = true
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
            unanswered: Set(access.filter(\.value.isDoubtful).keys))
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
        case .success(.rejected(_, _, failed: nil, _)): true
        case .success, .failure: false
        }
    }
}
