import PKCS11
import TokenService

/// One thread's session with one token, and what that thread has found on it.
final class OpenToken {
    let reference: TokenReference
    /// Where the token is, which is not always where the agent thinks.
    var slotID: UInt64 { slot.id }
    private let owner: LoadedModule
    private let slot: Slot
    private var session: TokenSession?
    private var signingKeys: [KeyReference: SigningKey] = [:]
    /// The last signature took so long that a person was probably asked.
    private(set) var hasWaited = false
    /// Whether the key that was not found was looked for with a login; nil where the module cannot tell. Another thread
    /// may have logged in since.
    private(set) var hasLookedLoggedIn: Bool?

    private struct KeyReference: Hashable {
        let id: [UInt8]
        let label: [UInt8]?
        let publicHalf: PublicHalf?
    }

    private struct SigningKey {
        let object: Object
        /// CKA_ALWAYS_AUTHENTICATE.
        let alwaysAuthenticates: Bool
        /// What to try; once one has worked, that one alone.
        var mechanisms: [Mechanism]
    }

    /// Opens a session, after a look at where the token is.
    ///
    /// - Throws: `.notFound` when it is nowhere.
    init(_ reference: TokenReference, of owner: LoadedModule) throws(PKCS11Error) {
        self.reference = reference
        self.owner = owner
        slot = try owner.slot(of: reference)
        session = try owner.openSession(in: slot)
    }

    deinit {
        try? owner.opening { () throws(PKCS11Error) in session = nil }  // the closure does not throw
    }

    func isLoggedIn() throws(PKCS11Error) -> Bool {
        try with { (session) throws(PKCS11Error) in try session.isLoggedIn() }
    }

    /// Nil where the module cannot tell.
    func isPerhapsLoggedIn() throws(PKCS11Error) -> Bool? {
        do throws(PKCS11Error) {
            return try isLoggedIn()
        } catch {
            guard error.isWorthRepeating, error.returnValue?.saysStale != true else { throw error }
            return nil
        }
    }

    func logIn(pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        try with { (session) throws(PKCS11Error) in try unsafe session.logIn(pin: pin) }
    }

    func logOut() throws(PKCS11Error) { try with { (session) throws(PKCS11Error) in try session.logOut() } }

    func objects(_ objectClass: Object.Class, id: [UInt8]? = nil) throws(PKCS11Error) -> [Object] {
        try with { (session) throws(PKCS11Error) in try session.objects(objectClass, id: id) }
    }

    func attributes(_ wanted: [Attribute], of object: Object) throws(PKCS11Error) -> AttributeValues {
        try with { (session) throws(PKCS11Error) in try session.attributes(wanted, of: object) }
    }

    func logInForOperation(pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        try with { (session) throws(PKCS11Error) in try unsafe session.logInForOperation(pin: pin) }
    }

    /// Who is in the slot now, and the state of its PIN. An open session says nothing of that: some modules keep its
    /// handle for the next card.
    ///
    /// - Throws: `.notFound` when it is another token than the one meant, which must not get this one's PIN.
    func look() throws(PKCS11Error) -> TokenInformation {
        let information = try slot.token()
        guard information.description == reference.token else { throw .notFound(.token) }
        return information
    }

    /// Signs with the private key that `request` means.
    ///
    /// - Parameter authorize: Logs in for the one operation, where the key asks for that.
    func sign(
        _ request: SignRequest, authorize: (OpenToken) throws(PKCS11Error) -> Void
    ) throws(PKCS11Error) -> [UInt8] {
        let reference = KeyReference(id: request.keyID, label: request.keyLabel, publicHalf: request.publicHalf)
        var key: SigningKey
        if let known = signingKeys[reference] { key = known } else { key = try findSurely(reference) }
        let isAlone = key.alwaysAuthenticates
        let result = try owner.signing(alone: isAlone) { () throws(PKCS11Error) in
            let began = ContinuousClock.now
            defer { hasWaited = ContinuousClock.now - began >= .seconds(2) }
            return try with { (session) throws(PKCS11Error) in
                try session.sign(
                    message: request.message, sha256: request.digest, key: key.object, mechanisms: key.mechanisms,
                    authorize: { () throws(PKCS11Error) in
                        if isAlone { try authorize(self) }
                        return isAlone
                    })
            }
        }
        key.mechanisms = [result.mechanism]
        signingKeys[reference] = key
        return result.signature
    }

    /// Looks once more where another thread has logged in during the first look.
    private func findSurely(_ wanted: KeyReference) throws(PKCS11Error) -> SigningKey {
        if let key = try find(wanted) { return key }
        hasLookedLoggedIn = try? isLoggedIn()
        if hasLookedLoggedIn == true, let key = try find(wanted) { return key }
        throw .notFound(.privateKey)
    }

    private func find(_ wanted: KeyReference) throws(PKCS11Error) -> SigningKey? {
        for object in try objects(.privateKey, id: wanted.id.isEmpty ? nil : wanted.id) {
            let half = try publicHalf(of: object)
            guard !half.contradicts(wanted.publicHalf), try isNamed(object, wanted) else { continue }
            return SigningKey(
                object: object,
                alwaysAuthenticates: try attributes([.alwaysAuthenticate], of: object).flag(.alwaysAuthenticate)
                    ?? false,
                mechanisms: Mechanism.candidates(keyType: half.keyType))
        }
        return nil
    }

    /// Whether the key has the label, the CKA_ID or none, and may sign: keys that do not show their public halves are
    /// told apart by nothing else.
    private func isNamed(_ object: Object, _ wanted: KeyReference) throws(PKCS11Error) -> Bool {
        guard let label = wanted.label else { return true }
        let values = try attributes([.id, .label, .sign], of: object)
        return values[.label] ?? [] == label && values[.id] ?? [] == wanted.id && values.flag(.sign) ?? true
    }

    private func with<Result>(
        _ body: (borrowing TokenSession) throws(PKCS11Error) -> Result
    ) throws(PKCS11Error) -> Result {
        switch session {
        case .some(let open): return try body(open)
        case nil: throw .nonsense(what: "the session was closed")
        }
    }
}
