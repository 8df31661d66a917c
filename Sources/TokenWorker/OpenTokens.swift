import PKCS11
import TokenService

/// One thread's sessions, by slot.
struct OpenTokens {
    let module: LoadedModule
    private var tokens: [UInt64: OpenToken] = [:]

    init(module: LoadedModule) { self.module = module }

    /// The session with this token, opened where there is none.
    ///
    /// - Throws: `.notFound` when it is in no slot.
    mutating func open(_ reference: TokenReference) throws(PKCS11Error) -> OpenToken {
        if let token = self[reference] { return token }
        tokens[reference.slotID] = nil
        let token = try OpenToken(reference, of: module)
        tokens[reference.slotID] = token
        return token
    }

    /// The session with this token, where one is open.
    subscript(_ reference: TokenReference) -> OpenToken? {
        tokens[reference.slotID].flatMap { $0.reference == reference ? $0 : nil }
    }

    mutating func close(slot: UInt64) { tokens[slot] = nil }

    mutating func closeAll(where isMeant: (OpenToken) -> Bool) { tokens = tokens.filter { !isMeant($0.value) } }

    func forEach(_ body: (OpenToken) -> Void) { tokens.values.forEach(body) }
}
