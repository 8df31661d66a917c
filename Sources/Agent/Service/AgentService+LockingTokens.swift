import AgentAPI
import PKCS11URI
import TokenService
import Tokens

extension AgentService {
    /// How long the answer waits for modules that may have more to lock, in milliseconds. A lock is to be done within a
    /// second, whatever hangs.
    private static let patience: Int64 = 300

    /// Locks the tokens that the URI matches, or all: at once what is known, then what the modules show.
    ///
    /// - Throws: `.noToken` where there is neither; `.lockNotKept`, locked, where the lock ends with this agent.
    func lock(_ text: String?) async throws(Problem) {
        guard let text else { return try await lock() }
        let uri = try parsed(text)
        let moment = Locks.Moment()
        let known = await tokens.known(matching: uri, used: source.usedTokens)
        await lock(known, asOf: moment)
        let look = Task { await lockSeen(uri, but: known, asOf: moment) }  // ends with the modules' deadlines
        if known.isEmpty {
            guard await look.value else { throw noToken(uri) }
        } else {
            await wait(for: look)
        }
        try await tokens.keepLocks()
    }

    /// Tokens of now, without which a request by URI has nothing to do.
    func matching(_ text: String) async throws(Problem) -> [FoundToken] {
        let uri = try parsed(text)
        let found = await tokens.survey().tokens(matching: uri).map { $0.meant(by: uri) }
        guard !found.isEmpty else { throw noToken(uri) }
        return found
    }

    /// - Returns: Whether a module shows a token that the URI matches.
    private func lockSeen(_ uri: PKCS11URI, but known: Set<TokenKey>, asOf moment: Locks.Moment) async -> Bool {
        let seen = Set(await tokens.survey().tokens(matching: uri).map(\.key))
        await lock(seen.subtracting(known), asOf: moment)
        return !seen.isEmpty
    }

    /// - Parameter moment: When that was asked for: tokens that were unlocked since are left out.
    private func lock(_ keys: Set<TokenKey>, asOf moment: Locks.Moment) async {
        let keys = keys.filter { !tokens.locks.hasUnlocked($0, since: moment) }
        guard !keys.isEmpty else { return }
        await lockSessions(source.profiles(on: keys))  // first, whatever the tokens wait for
        // From here on they sign nothing, so that no session comes after those that are dropped next.
        let locked = await tokens.lock(keys, asOf: moment)
        await lockSessions(source.profiles(on: locked))
        await tokens.endLogins(of: locked)
    }

    private func wait(for look: Task<Bool, Never>) async {
        let (first, either) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        Task {  // ends with the look
            _ = await look.value
            either.finish()
        }
        await clock.ticking(every: Self.patience) {
            either.finish()
            return false
        } during: {
            for await _ in first {}
        }
    }

    private func parsed(_ text: String) throws(Problem) -> PKCS11URI {
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw Problem(
                .badRequest, "the URI: \(error.message, .reason)", hint: "'tokenward status' shows the tokens' URIs")
        }
        if let fault = uri.faultAsTokens {
            throw Problem(.badRequest, "the URI \(fault, .reason)", hint: "give '\(uri.tokenPart)'")
        }
        return uri
    }

    private func noToken(_ uri: PKCS11URI) -> Problem {
        Problem(.noToken, "no token matches \(uri, .uri)", hint: "'tokenward status' shows the tokens that are there")
    }
}

extension Survey {
    fileprivate func tokens(matching uri: PKCS11URI) -> [FoundToken] {
        tokens.filter { uri.matches($0.located) }
    }
}
