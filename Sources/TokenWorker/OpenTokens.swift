import PKCS11
import TokenService

/// One thread's sessions, by slot.
struct OpenTokens {
    let module: LoadedModule
    private var tokens: [UInt64: OpenToken] = [:]
    private var generation: UInt64

    init(module: LoadedModule) {
        self.module = module
        generation = module.renewal.generation
    }

    /// Opens what is open anew, where that has been wished for. The new session comes before the old
    /// one goes, so that a login that the token still knows of is not lost.
    mutating func renew() {
        let wished = module.renewal.generation
        guard generation != wished else { return }
        generation = wished
        // A token that is gone has no session any more.
        tokens = tokens.compactMapValues { try? OpenToken($0.reference, of: module) }
    }

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
