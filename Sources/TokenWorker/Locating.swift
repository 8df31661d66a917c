import PKCS11
import TokenService

extension LoadedModule {
    /// The slot that holds a token now. Each process has its own numbers for slots, and a card may be put into another
    /// reader: where it is not in the slot that the agent knows, it is looked for in the others.
    ///
    /// - Throws: `.notFound` where it is in none.
    func locate(_ wanted: TokenReference) throws(PKCS11Error) -> (Slot, TokenInformation) {
        let known = module.slot(id: wanted.slotID)
        do throws(PKCS11Error) {
            let information = try known.token()
            if information.description == wanted.token { return (known, information) }
        } catch {
            guard error.saysGone else { throw error }
        }
        for slot in try module.slotsWithToken() where slot.id != wanted.slotID {
            // A slot that cannot say who is in it does not hold the token that is looked for, as far as can be told.
            if let information = try? slot.token(), information.description == wanted.token {
                return (slot, information)
            }
        }
        throw .notFound(what: "the token in its slot")
    }
}

extension PKCS11Error {
    /// The token is not there, or another one is.
    var saysGone: Bool {
        if case .notFound = self { return true }
        switch returnValue {
        case .deviceRemoved?, .tokenNotPresent?, .tokenNotRecognized?, .slotIDInvalid?: return true
        default: return false
        }
    }
}
