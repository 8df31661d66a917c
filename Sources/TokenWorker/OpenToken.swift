import PKCS11
import Synchronization
import TokenService

/// The module, and the lock that keeps two threads from opening or closing sessions at the same time
/// (tpm2-pkcs11 1.9 gives both the same handle).
final class LoadedModule: Sendable {
    let module: Module
    let sessions: Int
    private let opening = Mutex(())

    init(path: String, sessions: Int) throws(PKCS11Error) {
        module = try Module(path: path)
        self.sessions = sessions
    }

    fileprivate func opening<Result: ~Copyable>(
        _ body: () throws(PKCS11Error) -> sending Result
    ) throws(PKCS11Error) -> sending Result {
        try opening.withLock { (_) throws(PKCS11Error) in try body() }
    }
}

/// One thread's session with one token, and what that thread has found on it.
final class OpenToken {
    let reference: TokenReference
    /// Where the token is, which is not always where the agent thinks.
    let slotID: UInt64
    private let owner: LoadedModule
    private var session: TokenSession?
    private var signingKeys: [KeyReference: SigningKey] = [:]

    private struct KeyReference: Hashable {
        let id: [UInt8]
        let publicHalf: PublicHalf?
    }

    private struct SigningKey {
        let object: Object
        /// What to try; once one has worked, that one alone.
        var mechanisms: [Mechanism]
    }

    /// Opens a session, after a look at where the token is.
    ///
    /// - Throws: `.notFound` when it is in no slot.
    init(_ reference: TokenReference, of owner: LoadedModule) throws(PKCS11Error) {
        self.reference = reference
        self.owner = owner
        let (slot, _) = try owner.locate(reference)
        slotID = slot.id
        session = try owner.opening { () throws(PKCS11Error) in try TokenSession(slot: slot) }
    }

    deinit {
        try? owner.opening { () throws(PKCS11Error) in session = nil }  // the closure does not throw
    }

    func isLoggedIn() throws(PKCS11Error) -> Bool {
        try with { (session) throws(PKCS11Error) in try session.isLoggedIn() }
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

    /// Signs with the private key that `request` means.
    func sign(_ request: SignRequest) throws(PKCS11Error) -> [UInt8] {
        let reference = KeyReference(id: request.keyID, publicHalf: request.publicHalf)
        var key: SigningKey
        if let known = signingKeys[reference] { key = known } else { key = try find(reference) }
        let result = try with { (session) throws(PKCS11Error) in
            try session.sign(
                message: request.message, sha256: request.digest, key: key.object, mechanisms: key.mechanisms)
        }
        key.mechanisms = [result.mechanism]
        signingKeys[reference] = key
        return result.signature
    }

    private func find(_ wanted: KeyReference) throws(PKCS11Error) -> SigningKey {
        for object in try objects(.privateKey, id: wanted.id.isEmpty ? nil : wanted.id) {
            let half = try publicHalf(of: object)
            guard !half.contradicts(wanted.publicHalf) else { continue }
            return SigningKey(object: object, mechanisms: Mechanism.candidates(keyType: half.keyType))
        }
        throw .notFound(what: "the private key")
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
