import PKCS11
import TokenService

/// What the one control thread holds: a session for each token, which keeps the token's login alive.
struct TokenControl {
    var tokens: OpenTokens
    var pace = LoginPace()
    var verifiedCards: VerifiedCards
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

    /// Every initialised token. A slot that fails is told as such, and does not stop the rest.
    mutating func list() throws(PKCS11Error) -> [TokenSnapshot] {
        let slots = try module.slotsWithToken()
        let present = Set(slots.map(\.id))
        tokens.closeAll { !present.contains($0.reference.slotID) }
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
            snapshots.append(snapshot(slot, information, flags, &trouble))
        }
        // Where something can be read, a new process would only take the others' logins away.
        if let trouble, !snapshots.contains(where: { $0.failure == nil }) { throw trouble }
        heldPINs.keep(only: Set(snapshots.map(\.token)))
        verifiedCards.keep(only: Set(snapshots.map(\.token)))
        return snapshots
    }

    /// Logs out of one token, or of all. A token that is gone, or was not logged in, is no error.
    ///
    /// - Throws: C_Logout's code where a token is logged in all the same.
    mutating func logOut(_ reference: TokenReference?) throws(PKCS11Error) {
        heldPINs.wipe(reference?.token)  // before the module is asked, which may hang
        // The signing lanes' sessions keep a login alive that no session of this thread may know of.
        if let reference { _ = try? tokens.open(reference) }
        let isMeant = { (token: OpenToken) in reference == nil || token.reference == reference }
        var failure: PKCS11Error?
        tokens.forEach { token in
            guard isMeant(token) else { return }
            do throws(PKCS11Error) {
                try token.logOut()
            } catch {
                if (try? token.isLoggedIn()) == true { failure = error }  // who cannot say is gone
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
        var snapshot = TokenSnapshot(
            slotID: slot.id, token: information.description, flags: flags, isLoggedIn: false,
            pinLength: information.pinLength, certificates: [], keys: [])
        for attempt in 1...2 {
            do throws(PKCS11Error) {
                let token = try tokens.open(reference)
                snapshot.isLoggedIn = try token.isPerhapsLoggedIn() ?? false
                snapshot.certificates = try token.certificates()
                snapshot.keys = try token.keys()
                return snapshot
            } catch {
                tokens.close(slot: slot.id)
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

extension TokenInformation {
    /// In bytes; every length where the token contradicts itself.
    var pinLength: ClosedRange<Int> {
        shortestPIN <= longestPIN ? shortestPIN...longestPIN : 0...PIN.capacity
    }
}
