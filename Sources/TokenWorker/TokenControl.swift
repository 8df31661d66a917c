import PKCS11
import PKCS11URI
import TokenService

/// What the one control thread holds: a session for each token, which keeps the token's login alive.
struct TokenControl {
    var tokens: OpenTokens
    var pace = LoginPace()
    private let start = ContinuousClock.now
    /// The pace's clock.
    var milliseconds: Int64 { Int64((ContinuousClock.now - start) / .milliseconds(1)) }
    var verifiedCards: VerifiedCards
    /// What the answer under way may still tell of objects.
    var room = ReadingRoom()
    var module: Module { tokens.module.module }
    var heldPINs: HeldPINs { tokens.module.heldPINs }

    /// - Parameter tell: See `VerifiedCards`.
    init(module: LoadedModule, tell: @escaping @Sendable ([[UInt8]]) -> Void) {
        tokens = OpenTokens(module: module)
        verifiedCards = VerifiedCards(tell: tell)
    }

    /// Who is in the slots, without a look at what they hold. A token that cannot say is gone, or soon will be.
    mutating func presence() throws(PKCS11Error) -> [TokenReference] {
        try module.slotsWithToken().compactMap { slot in
            guard let information = try? slot.token(),
                TokenFlags(rawValue: information.flags).contains(.tokenInitialized)
            else { return nil }
            return TokenReference(slotID: slot.id, token: information.description)
        }
    }

    /// Initialised tokens. A slot that fails is told as such, and does not stop the rest.
    mutating func list(_ scope: ListScope) throws(PKCS11Error) -> [TokenSnapshot] {
        switch scope {
        case .all(let spared): try list(sparing: Set(spared))
        case .one(let reference): try list(reference)
        }
    }

    /// One token, in whatever slot it is. The other slots are not asked where it is in the usual one: their tokens may
    /// be waiting for a person.
    private mutating func list(_ reference: TokenReference) throws(PKCS11Error) -> [TokenSnapshot] {
        let present = try module.slotsWithToken()
        tokens.closeAll { token in !present.contains { $0.id == token.slotID } }
        let slot: Slot
        let information: TokenInformation
        do throws(PKCS11Error) {
            slot = try tokens.module.slot(of: reference)
            information = try slot.token()
        } catch {
            guard error.saysGone else { throw error }
            tokens.close(slot: reference.slotID)
            heldPINs.wipe(reference.token)
            return []
        }
        var trouble: PKCS11Error?
        let snapshot = snapshot(slot, information, TokenFlags(rawValue: information.flags), &trouble)
        if let trouble { throw trouble }
        return [snapshot]
    }

    private mutating func list(sparing spared: Set<TokenDescription>) throws(PKCS11Error) -> [TokenSnapshot] {
        let slots = try module.slotsWithToken()
        let present = Set(slots.map(\.id))
        tokens.closeAll { !present.contains($0.slotID) }
        var snapshots: [TokenSnapshot] = []
        var trouble: PKCS11Error?
        for slot in slots {
            let information: TokenInformation
            do throws(PKCS11Error) {
                information = try slot.token()
            } catch {  // gone since, not recognised, or in trouble: not a token to list
                tokens.close(slot: slot.id)
                if error.saysModuleIsBroken { trouble = error }
                continue
            }
            let flags = TokenFlags(rawValue: information.flags)
            guard flags.contains(.tokenInitialized) else { continue }
            snapshots.append(
                spared.contains(information.description)
                    ? TokenSnapshot(slot, information, flags) : snapshot(slot, information, flags, &trouble))
        }
        // Where something can be read, a new process would only take the others' logins away.
        if let trouble, !snapshots.contains(where: { $0.failure == nil }) { throw trouble }
        heldPINs.keep(only: Set(snapshots.map(\.token)))
        verifiedCards.keep(only: Set(snapshots.map(\.token)))
        return snapshots
    }

    /// Logs out of one token, or of all. A token that is gone, or was not logged in, is no error.
    ///
    /// - Throws: Where a token is logged in all the same, or may be: then the end of the process is what logs out.
    mutating func logOut(_ reference: TokenReference?) throws(PKCS11Error) {
        heldPINs.wipe(reference?.token)  // before the module is asked, which may hang
        // The signing lanes' sessions keep a login alive that no session of this thread may know of.
        if let reference {
            do throws(PKCS11Error) {
                _ = try tokens.open(reference)
            } catch {
                guard error.saysTokenIsGone else { throw error }
            }
        }
        let isMeant = { (token: OpenToken) in reference == nil || token.reference == reference }
        var failure: PKCS11Error?
        tokens.forEach { token in
            guard isMeant(token) else { return }
            do throws(PKCS11Error) {
                try token.logOut()
            } catch {
                if (try? token.isLoggedIn()) ?? !error.saysLoginIsGone { failure = error }
            }
        }
        tokens.closeAll(where: isMeant)
        verifiedCards.reset(reference?.token)
        if let failure { throw failure }
    }

    private mutating func snapshot(
        _ slot: Slot, _ information: TokenInformation, _ flags: TokenFlags, _ trouble: inout PKCS11Error?
    ) -> TokenSnapshot {
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
                return snapshot
            } catch {
                tokens.close(slot: slot.id)
                if case .overLimit = error {  // the others are to be told
                    snapshot.certificates = []
                    self.room = room
                }
                guard attempt == 1, error.isWorthRepeating else {
                    if error.saysModuleIsBroken { trouble = error }
                    snapshot.failure = "\(error)"
                    return snapshot
                }
            }
        }
        return snapshot
    }
}

extension PKCS11Error {
    fileprivate var saysTokenIsGone: Bool { self == .absentToken || returnValue?.saysTokenIsGone == true }

    /// What a session that cannot say whether it is logged in has answered to C_Logout.
    fileprivate var saysLoginIsGone: Bool {
        guard let returnValue else { return false }
        return returnValue.saysTokenIsGone
            || [.userNotLoggedIn, .sessionHandleInvalid, .sessionClosed].contains(returnValue)
    }
}

extension PKCS11Error {
    fileprivate var saysGone: Bool {
        if case .notFound = self { return true }
        return returnValue?.saysTokenIsGone == true
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
