import TokenService

extension Tokens {
    /// Whether a refusal gives way to a person who wants to be asked again. That a PIN is blocked does not.
    func yields(_ refusal: TokenAccess.Refusal, to purpose: LoginPurpose?, _ rule: TokenRule?) -> Bool {
        purpose?.asking.isExplicit == true && refusal != .blocked && (rule?.pinSource ?? .prompt) == .prompt
    }

    /// Logs in with a PIN that a person is asked for: one prompt and at most one C_Login, whatever becomes of them.
    func logInByPrompt(_ token: FoundToken, _ purpose: LoginPurpose?) async -> Result<Void, PINTrouble> {
        guard let purpose, await prompts.settings.executable != nil else { return .failure(.needed) }
        // What the caller saw may be a minute old: somebody may have typed the PIN since, or spent a try.
        guard var found = await survey().tokens.first(where: { $0.key == token.key }) else { return .failure(.needed) }
        found.meantBy = token.meantBy
        let token = found
        if locks.contains(token.key) { return .failure(.locked) }  // somebody may have locked it meanwhile, too
        if !token.needsLogin { return .success(()) }
        // Nobody is asked for a PIN that would not be sent.
        if let trouble = ambiguity(of: token, token.rule) { return .failure(trouble) }
        if let refusal = LoginRefusal(flags: token.snapshot.flags, isStored: false) {
            return .failure(.notSent(refusal))
        }
        // A login without an answer may have cost a try: only one who wants to be asked has looked at it.
        if purpose.asking.isExplicit { forgive(token) } else if owesAnswer(token) { return .failure(.unanswered) }
        if access[token.key]?.waitingPINs ?? 0 > 0 { return .failure(.needed) }
        let answer = await prompts.ask(
            for: token, purpose, after: access[token.key]?.lastPrompt)
        if locks.contains(token.key) { return .failure(.locked) }
        switch answer {
        case .pin(let pin):
            let result = await attempt(token, pin: pin, isAsked: true, nil)
            notePrompt(result, token.key)
            return result
        case .declined(let decline):
            log.notice(
                "no PIN was given", metadata: ["token": "\(token.snapshot.token.plainName)", "why": "\(decline)"])
            access[token.key]?.refusal = .declined(decline)
            return .failure(.declined(decline))
        case .failed(let reason):
            log.warning(
                "no prompt", metadata: ["token": "\(token.snapshot.token.plainName)", "why": "\(reason)"])
            return .failure(.unaskable(reason: reason))
        }
    }

    /// Keeps what the next prompt says of this one. Any failure stands until a person wants to be asked again.
    private func notePrompt(_ result: Result<Void, PINTrouble>, _ key: TokenKey) {
        switch result {
        case .failure(.rejected(let code, let oddities)):
            let oddities = oddities.sentence.map { " It had \($0)." } ?? ""
            access[key]?.lastPrompt = "The token refused the last PIN (\(code)).\(oddities)"
        case .failure(.notSent(let refusal)):
            if access[key]?.refusal == nil { access[key]?.refusal = .notSent(refusal) }
            access[key]?.lastPrompt = refusal.afterwards
        case .success, .failure: access[key]?.lastPrompt = nil
        }
    }
}

extension LoginRefusal {
    fileprivate var afterwards: String? {
        switch self {
        case .knownWrong: "The last PIN was not sent: the token has refused it before."
        case .length(let shortest, let longest):
            "The last PIN was not sent: the token takes \(shortest) to \(longest) characters."
        case .reserved: "The last PIN was not sent: modules take that word for a command."
        case .controlByte: "The last PIN was not sent: it had a control character in it."
        default: nil
        }
    }
}
