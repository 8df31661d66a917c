import LockedMemory
package import PKCS11
import SignatureSchemes
package import TokenService

/// One thread's session with one token, and what that thread has found on it.
package final class OpenToken {
    package let reference: TokenReference
    /// Where the token is, which is not always where the agent thinks.
    var slotID: UInt64 { slot.id }
    private let owner: LoadedModule
    private let slot: Slot
    private var session: TokenSession?
    private var signingKeys: [WantedKey: SigningKey] = [:]
    /// The last signature took so long that a person was probably asked.
    private(set) var hasWaited = false
    /// Whether the key that was not found was looked for with a login; nil where the module cannot tell. Another thread
    /// may have logged in since.
    private(set) var hasLookedLoggedIn: Bool?

    private struct SigningKey {
        let object: Object
        /// CKA_ALWAYS_AUTHENTICATE.
        let alwaysAuthenticates: Bool
        /// CKA_KEY_TYPE.
        let keyType: UInt64
        /// What has worked, and is all that is tried.
        var proven: [SignatureScheme: Mechanism] = [:]

        func mechanisms(for scheme: SignatureScheme) -> [Mechanism] {
            proven[scheme].map { [$0] } ?? Mechanism.candidates(for: scheme, keyType: keyType)
        }
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
        owner.closing { session = nil }
    }

    func isLoggedIn() throws(PKCS11Error) -> Bool {
        try with { (session) throws(PKCS11Error) in try session.isLoggedIn() }
    }

    /// Nil where the module cannot tell.
    func isPerhapsLoggedIn() throws(PKCS11Error) -> Bool? {
        do throws(PKCS11Error) {
            return try isLoggedIn()
        } catch {
            guard error.leavesSessionUsable else { throw error }
            return nil
        }
    }

    func logIn(pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        try with { (session) throws(PKCS11Error) in try unsafe session.logIn(pin: pin) }
    }

    func logOut() throws(PKCS11Error) { try with { (session) throws(PKCS11Error) in try session.logOut() } }

    package func objects(_ objectClass: Object.Class, id: [UInt8]? = nil) throws(PKCS11Error) -> [Object] {
        try with { (session) throws(PKCS11Error) in try session.objects(objectClass, id: id) }
    }

    package func attributes(_ wanted: [Attribute], of object: Object) throws(PKCS11Error) -> AttributeValues {
        try with { (session) throws(PKCS11Error) in try session.attributes(wanted, of: object) }
    }

    func logInForOperation(pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        try with { (session) throws(PKCS11Error) in try unsafe session.logInForOperation(pin: pin) }
    }

    /// Who is in the slot now, and the state of its PIN. An open session says nothing of that: some modules keep its
    /// handle for the next card.
    ///
    /// - Throws: `.notFound` when it is another token than the one meant, which must not get this one's PIN.
    package func look() throws(PKCS11Error) -> TokenInformation {
        let information = try slot.token()
        guard information.description == reference.token else { throw .notFound(.token) }
        return information
    }

    /// Whether the token lists the mechanisms of RSA-PSS. One that cannot tell is taken for one that has none: PKCS #1 v1.5
    /// works everywhere, and the answer to a mere hint condemns no module.
    func hasPSS() throws(PKCS11Error) -> Bool {
        do throws(PKCS11Error) {
            return Mechanism.includePSS(try slot.mechanisms())
        } catch {
            guard error != .interrupted else { throw error }
            return false
        }
    }

    /// What the token's library says of itself; nil where it does not say.
    package var library: ModuleInformation? { try? owner.module.information() }

    /// The numbers of the mechanisms that the token lists.
    package func mechanisms() throws(PKCS11Error) -> Set<UInt64> { try slot.mechanisms() }

    /// What the token's slot is called; nil where the module does not tell.
    func slotDescription() -> [UInt8]? { (try? slot.description())?.description }

    /// Signs with the private key that `request` means.
    ///
    /// - Parameters:
    ///   - place: The place of the request among those to log out.
    ///   - authorize: Logs in for the one operation, where the key asks for that.
    /// - Throws: `.interrupted` where a request to log out came first.
    func sign(
        _ request: SignRequest, _ place: LogOuts.Place, authorize: (OpenToken) throws(PKCS11Error) -> Void
    ) throws(PKCS11Error) -> [UInt8] {
        let wanted = WantedKey(request)
        var key: SigningKey
        if let known = signingKeys[wanted] { key = known } else { key = try findSurely(wanted) }
        let isAlone = key.alwaysAuthenticates
        let result = try owner.signing(alone: isAlone) { () throws(PKCS11Error) in
            if place.isOvertaken { throw .interrupted }  // while it waited for one that is made alone
            let began = ContinuousClock.now
            defer { hasWaited = ContinuousClock.now - began >= .seconds(2) }
            return try with { (session) throws(PKCS11Error) in
                try session.sign(
                    message: request.message, digest: request.digest, key: key.object,
                    mechanisms: key.mechanisms(for: request.scheme),
                    authorize: { () throws(PKCS11Error) in
                        if isAlone { try authorize(self) }
                        return isAlone
                    })
            }
        }
        key.proven[request.scheme] = result.mechanism
        signingKeys[wanted] = key
        return result.signature
    }

    /// Looks once more where another thread has logged in during the first look.
    private func findSurely(_ wanted: WantedKey) throws(PKCS11Error) -> SigningKey {
        if let key = try find(wanted) { return key }
        hasLookedLoggedIn = try? isLoggedIn()
        if hasLookedLoggedIn == true, let key = try find(wanted) { return key }
        throw .notFound(.privateKey)
    }

    private func find(_ wanted: WantedKey) throws(PKCS11Error) -> SigningKey? {
        for object in try objects(.privateKey, id: wanted.searchedID) {
            let values = try attributes(Self.ofPrivateKey, of: object)
            let half = PublicHalf(values)
            guard wanted.mayBe(half), !wanted.isNamed || wanted.isName(of: values) else { continue }
            return SigningKey(
                object: object, alwaysAuthenticates: values.flag(.alwaysAuthenticate) ?? false,
                keyType: half.keyType)
        }
        return nil
    }

    /// The HMAC of a day, made with the one secret key that `request` means, of a kind that is for nothing else.
    ///
    /// - Parameter place: The place of the request among those to log out.
    /// - Throws: `.interrupted` where a request to log out came first.
    func dateKey(_ request: DateKeyRequest, _ place: LogOuts.Place) throws(PKCS11Error) -> HeldSecret {
        var keys = try secretKeys(request)
        hasLookedLoggedIn = try? isLoggedIn()
        if keys.isEmpty, hasLookedLoggedIn == true { keys = try secretKeys(request) }  // another thread has logged in
        guard let key = keys.first else { throw .notFound(.secretKey) }
        guard keys.count == 1 else { throw .notFound(.onlySecretKey) }
        return try owner.signing(alone: false) { () throws(PKCS11Error) in
            if place.isOvertaken { throw .interrupted }
            let began = ContinuousClock.now
            defer { hasWaited = ContinuousClock.now - began >= .seconds(2) }
            guard var page = SecretBuffer(capacity: Self.roomForHMAC, isLocked: true) else {
                throw .nonsense(what: "no memory is left for a date key")
            }
            _ = try unsafe page.append { (room) throws(PKCS11Error) in
                try with { (session) throws(PKCS11Error) in
                    try unsafe session.authenticate(request.day.digits, key: key, into: room)
                }
                return DateKeyRequest.length
            }
            return HeldSecret(page)
        }
    }

    private static let roomForHMAC = 64

    private func secretKeys(_ request: DateKeyRequest) throws(PKCS11Error) -> [Object] {
        var keys: [Object] = []
        for object in try objects(.secretKey, id: request.keyID) {
            let values = try attributes([.label, .keyType, .sign], of: object)
            guard request.keyLabel.map({ $0 == values[.label] ?? [] }) ?? true, values.flag(.sign) ?? true,
                [KeyType.genericSecret, KeyType.sha256HMAC, nil].contains(values.number(.keyType))
            else { continue }
            keys.append(object)
        }
        return keys
    }

    package func with<Result>(
        _ body: (borrowing TokenSession) throws(PKCS11Error) -> Result
    ) throws(PKCS11Error) -> Result {
        switch session {
        case .some(let open): return try body(open)
        case nil: throw .nonsense(what: "the session was closed")
        }
    }
}
