import Glibc
import LockedMemory
import PKCS11
import PKCS11URI
import TokenService

/// What the one control thread holds: a session for each token, which keeps the token's login alive.
struct TokenControl {
    private let loaded: LoadedModule
    private var tokens: SessionTable<OpenToken, PKCS11Error>
    private var pace = LoginPace()
    private let start = ContinuousClock.now
    private var verifiedCards: VerifiedCards
    /// What the answer under way may still tell of objects.
    private var room: ReadingRoom
    private let isLogOutWanted: @Sendable () -> Bool
    private var module: Module { loaded.module }
    /// The pace's clock.
    private var milliseconds: Int64 { Int64((ContinuousClock.now - start) / .milliseconds(1)) }

    /// - Parameters:
    ///   - isLogOutWanted: Whether a request to log out waits, which a list is interrupted for.
    ///   - tell: See `VerifiedCards`.
    init(
        module: LoadedModule, isLogOutWanted: @escaping @Sendable () -> Bool,
        tell: @escaping @Sendable ([[UInt8]]) -> Void
    ) {
        self.isLogOutWanted = isLogOutWanted
        room = ReadingRoom(mustStop: isLogOutWanted)
        loaded = module
        tokens = module.sessionTable()
        verifiedCards = VerifiedCards(tell: tell)
    }

    /// - Returns: Nil for a list that was interrupted, and is to be asked for anew.
    mutating func answer(_ request: Request, pin: HeldPIN?) -> Reply? {
        tokens.renew()
        room = ReadingRoom(mustStop: isLogOutWanted)
        do throws(PKCS11Error) {
            switch request {
            case .list(let scope): return .tokens(try list(scope))
            case .presence: return .present(try presence())
            case .logIn(let request): return try logIn(request, typed: pin)
            case .logOut(let token):
                try logOut(token)
                return .loggedOut
            case .management(let request):
                guard let duty = loaded.duty else {
                    return .failed(WorkerFailure(.protocol, text: "a worker changes no token"))
                }
                let answer = duty.answer(request, pin) { reference in
                    Result { () throws(PKCS11Error) in try tokens.open(reference) }
                }
                return .management(answer)
            case .load, .sign, .dateKey, .renewSessions, .readers, .registeredModules:
                return .failed(WorkerFailure(.protocol, text: "the module is loaded once, and signs elsewhere"))
            }
        } catch {
            if error == .interrupted { return nil }
            var failure = WorkerFailure(error)
            // A reader's failures have nothing to do with the network.
            if case .list = request, !loaded.usesCardReaders { failure.text += loaded.load.advice }
            return .failed(failure)
        }
    }

    // MARK: Looks

    /// Who is in the slots, without a look at what they hold. A token that cannot say is gone, or soon will be.
    private func presence() throws(PKCS11Error) -> [TokenReference] {
        try module.slotsWithToken().compactMap { slot in
            guard let information = try? slot.token(),
                TokenFlags(rawValue: information.flags).contains(.tokenInitialized)
            else { return nil }
            return TokenReference(slotID: slot.id, token: information.description)
        }
    }

    /// Initialised tokens. A slot that fails is told as such, and does not stop the rest.
    private mutating func list(_ scope: ListScope) throws(PKCS11Error) -> [TokenSnapshot] {
        switch scope {
        case .all(let spared): try list(sparing: Set(spared))
        case .one(let reference): try list(reference)
        }
    }

    /// One token, in whatever slot it is. The other slots are not asked where it is in the usual one: their tokens may
    /// be waiting for a person.
    private mutating func list(_ reference: TokenReference) throws(PKCS11Error) -> [TokenSnapshot] {
        let present = try module.slotsWithToken()
        tokens.closeAll { _, token in !present.contains { $0.id == token.slotID } }
        let slot: Slot
        let information: TokenInformation
        do throws(PKCS11Error) {
            slot = try loaded.slot(of: reference)
            information = try slot.token()
        } catch {
            guard error.saysTokenIsGone || error == .notFound(.onlyToken) else { throw error }
            tokens.close(slot: reference.slotID)
            loaded.pins.withLock { $0.wipe(reference.token) }
            return []
        }
        var failure: PKCS11Error?
        let snapshot = try snapshot(slot, information, TokenFlags(rawValue: information.flags), &failure)
        if let failure { throw failure }
        return [snapshot]
    }

    private mutating func list(sparing spared: Set<TokenDescription>) throws(PKCS11Error) -> [TokenSnapshot] {
        let slots = try module.slotsWithToken()
        let present = Set(slots.map(\.id))
        tokens.closeAll { !present.contains($1.slotID) }
        var snapshots: [TokenSnapshot] = []
        var failure: PKCS11Error?
        for slot in slots {
            let information: TokenInformation
            do throws(PKCS11Error) {
                information = try slot.token()
            } catch {  // gone since, not recognised, or failing: not a token to list
                tokens.close(slot: slot.id)
                if error.saysModuleIsBroken { failure = error }
                continue
            }
            let flags = TokenFlags(rawValue: information.flags)
            guard flags.contains(.tokenInitialized) else { continue }
            snapshots.append(
                spared.contains(information.description)
                    ? TokenSnapshot(slot, information, flags) : try snapshot(slot, information, flags, &failure))
        }
        // Where something can be read, a new process would only take the others' logins away.
        if let failure, !snapshots.contains(where: { $0.failure == nil }) { throw failure }
        let tokens = Set(snapshots.map(\.token))
        loaded.pins.withLock { $0.keep(only: tokens) }
        verifiedCards.keep(only: tokens)
        return snapshots
    }

    /// - Throws: `.interrupted` alone; other errors are in the snapshot.
    private mutating func snapshot(
        _ slot: Slot, _ information: TokenInformation, _ flags: TokenFlags, _ failure: inout PKCS11Error?
    ) throws(PKCS11Error) -> TokenSnapshot {
        let reference = TokenReference(slotID: slot.id, token: information.description)
        var snapshot = TokenSnapshot(slot, information, flags)
        let room = self.room
        for attempt in 1...2 {
            self.room = room
            do throws(PKCS11Error) {
                let token = try tokens.open(reference)
                snapshot.isLoggedIn = try token.isPerhapsLoggedIn() ?? false
                snapshot.certificates = try token.certificates(in: &self.room)
                snapshot.keys = try token.keys(in: &self.room)
                snapshot.hasPSS = try token.hasPSS()
                return snapshot
            } catch {
                if error == .interrupted { throw error }
                tokens.close(slot: slot.id)
                if case .overLimit = error {  // the others are to be told
                    snapshot.certificates = []
                    self.room = room
                }
                guard attempt == 1, error.isWorthRepeating else {
                    if error.saysModuleIsBroken { failure = error }
                    snapshot.failure = "\(error)"
                    return snapshot
                }
            }
        }
        return snapshot
    }

    // MARK: Logins

    /// Logs in to a token, on the one thread that does: at most one C_Login.
    private mutating func logIn(_ request: LoginRequest, typed: HeldPIN?) throws(PKCS11Error) -> Reply {
        do throws(PKCS11Error) {
            let (token, isLoggedIn) = try openForLogin(request.token)
            if isLoggedIn { return .login(.notNeeded) }
            let loaded = loaded
            // Asked for before: once the card is logged in, no call may hang before it is told which one is to be reset.
            let reader = loaded.usesCardReaders ? token.slotDescription() : nil
            let rest = pace.rest(for: request.token.token, at: milliseconds)
            var attempt = loaded.pins.withLock { LoginAttempt(request, for: .token, $0, rest: rest) }
            defer {
                if let isTaken = attempt.isTaken { pace.note(request.token.token, isTaken: isTaken, at: milliseconds) }
            }
            let (outcome, pin) = try unsafe attempt.carryOut(
                on: token, of: loaded, typed: typed, isOver: { loaded.agent.isOver },
                send: { (pin) throws(PKCS11Error) in try unsafe token.logIn(pin: pin) })
            if outcome == .loggedIn, let reader { verifiedCards.add(request.token.token, in: reader) }
            let isWantedAgain = outcome == .loggedIn && request.source == .typed && token.mayAskEachTime()
            let wasSent = attempt.wasSent
            loaded.pins.withLock {
                $0.noteLogin(outcome, to: request, wasSent: wasSent, pin: isWantedAgain ? pin : nil)
            }
            return .login(outcome)
        } catch {
            tokens.close(slot: request.token.slotID)
            throw error
        }
    }

    /// A session, and whether it is logged in. One that has gone stale is opened anew: no PIN has been sent.
    private mutating func openForLogin(
        _ reference: TokenReference
    ) throws(PKCS11Error) -> (token: OpenToken, isLoggedIn: Bool) {
        do throws(PKCS11Error) {
            let token = try tokens.open(reference)
            return (token, try token.isPerhapsLoggedIn() == true)
        } catch {
            tokens.close(slot: reference.slotID)
            guard error.isWorthRepeating else { throw error }
            let token = try tokens.open(reference)
            return (token, try token.isPerhapsLoggedIn() == true)
        }
    }

    /// Logs out of one token, or of all. A token that is gone, or was not logged in, is no error.
    ///
    /// - Throws: Where a token is logged in all the same, or may be: then the end of the process is what logs out.
    mutating func logOut(_ reference: TokenReference?) throws(PKCS11Error) {
        loaded.pins.withLock { $0.wipe(reference?.token) }  // before the module is asked, which may hang
        // The signing lanes' sessions keep a login alive that no session of this thread may know of.
        if let reference {
            do throws(PKCS11Error) {
                _ = try tokens.open(reference)
            } catch {
                guard error.saysTokenIsGone else { throw error }
            }
        }
        let isMeant = { (token: TokenReference, _: OpenToken) in reference == nil || token == reference }
        var failure: PKCS11Error?
        for (_, token) in tokens.all.filter(isMeant) {
            do throws(PKCS11Error) {
                try token.logOut()
            } catch {
                if (try? token.isLoggedIn()) ?? !error.saysLoginIsGone { failure = error }
            }
        }
        tokens.closeAll(where: isMeant)
        resetCards(of: reference?.token)
        if let failure { throw failure }
    }

    /// Resets one card that has taken a PIN, or all. Another program that is at work on one finishes that first.
    private mutating func resetCards(of token: TokenDescription?) {
        let meant = verifiedCards.cards(of: token)
        guard !meant.isEmpty, let service = LoadedPCSC() else { return }
        for (card, slot) in meant {
            let code = service.reset(slotDescription: slot)
            verifiedCards.remove(card)  // not before: the call may take its time, and this process end in it
            guard code != 0 else { continue }
            let text = Array(
                "the card could not be reset, and may still be logged in: 0x\(String(code, radix: 16))\n".utf8)
            _ = unsafe write(STDERR_FILENO, text, text.count)  // the agent logs what a worker writes
        }
    }
}

extension TokenSnapshot {
    /// A token whose objects have not been looked at.
    fileprivate init(_ slot: Slot, _ information: TokenInformation, _ flags: TokenFlags) {
        self.init(
            slotID: slot.id,
            slot: try? slot.description(),  // an error leaves URIs that name the slot unmet
            token: information.description, flags: flags, isLoggedIn: false, pinLength: information.pinLength,
            certificates: [], keys: [])
    }
}

extension TokenInformation {
    /// In bytes; every length where the token contradicts itself.
    var pinLength: ClosedRange<Int> {
        shortestPIN <= longestPIN ? shortestPIN...longestPIN : 0...PIN.capacity
    }
}
