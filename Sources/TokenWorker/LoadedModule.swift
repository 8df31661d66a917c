import Dispatch
import Glibc
import PKCS11
import Synchronization
import TokenService

/// The module, and the lock that keeps two threads from opening or closing sessions at the same time
/// (tpm2-pkcs11 1.9 gives both the same handle).
final class LoadedModule: Sendable {
    let module: Module
    let sessions: Int
    /// What the agent has asked for.
    let load: ModuleLoad
    let renewal: SessionRenewal
    let pins = Mutex(PINMemory())
    let agent: AgentChannel
    /// Closes the sessions that other threads hold and do not use.
    let closeIdleSessions: @Sendable () -> Void
    /// Whether the library has loaded libpcsclite, as its users do at C_Initialize at the latest. This process links none.
    let usesCardReaders: Bool
    /// What this process does beside a worker's work; nil in a worker.
    let duty: ManagementDuty?
    /// Whether sessions are read-write: a keeper's, and those of a module that refuses others. Locked while one is opened or
    /// closed.
    private let opensReadWrite: Mutex<Bool>
    private let calls = Mutex(())
    private let signing = DispatchQueue(label: "signing", attributes: .concurrent)

    init(
        _ load: ModuleLoad, renewal: SessionRenewal, agent: AgentChannel, duty: ManagementDuty?,
        closeIdleSessions: @escaping @Sendable () -> Void
    ) throws(PKCS11Error) {
        module = try Module(path: load.path, arguments: load.initArguments)
        let cardReaders = unsafe dlopen("libpcsclite.so.1", RTLD_LAZY | RTLD_NOLOAD)
        usesCardReaders = unsafe cardReaders != nil
        if let cardReaders = unsafe cardReaders { unsafe dlclose(cardReaders) }
        sessions = Int(max(1, load.sessions))
        self.load = load
        self.renewal = renewal
        self.agent = agent
        self.duty = duty
        opensReadWrite = Mutex(duty != nil)
        self.closeIdleSessions = closeIdleSessions
    }

    /// Serves one request, and no other beside it where the module has no locks.
    func serving<Answer>(_ body: () -> Answer) -> Answer {
        guard module.isSingleThreaded else { return body() }
        return calls.withLock { _ in body() }
    }

    // MARK: Sessions

    /// A thread's own sessions.
    func sessionTable() -> SessionTable<OpenToken, PKCS11Error> {
        SessionTable(renewedAt: { self.renewal.generation }) { (reference) throws(PKCS11Error) in
            try OpenToken(reference, of: self)
        }
    }

    /// Opens a session.
    ///
    /// CKR_SESSION_COUNT is waited out for a second. A module that refuses a read-only session (CloudHSM before 5.5.0) is
    /// asked for a read-write one once, and then always.
    func openSession(in slot: Slot) throws(PKCS11Error) -> TokenSession {
        for milliseconds: useconds_t in [100, 300, 600] {
            do throws(PKCS11Error) {
                return try openSessionNow(in: slot)
            } catch .failed(_, .sessionCount) {
                usleep(milliseconds * 1000)
            }
        }
        do throws(PKCS11Error) {
            return try openSessionNow(in: slot)
        } catch .failed(_, .sessionCount) {
            closeIdleSessions()
            return try openSessionNow(in: slot)
        }
    }

    private func openSessionNow(in slot: Slot) throws(PKCS11Error) -> TokenSession {
        try opensReadWrite.withLock { (isReadWrite) throws(PKCS11Error) in
            do throws(PKCS11Error) {
                return try TokenSession(slot: slot, isReadWrite: isReadWrite)
            } catch {
                guard !isReadWrite, error.maySpeakAgainstReadOnly else { throw error }
                guard let session = try? TokenSession(slot: slot, isReadWrite: true) else { throw error }
                isReadWrite = true
                return session
            }
        }
    }

    /// Closes a session: `body` lets go of it.
    func closing(_ body: () -> Void) { opensReadWrite.withLock { _ in body() } }

    // MARK: Calls

    /// Makes a signature. One for a key that wants its PIN each time is made with no other beside it: what reaches a PIV
    /// card between the PIN and the signature takes the PIN's effect away.
    func signing<Signature>(
        alone: Bool, _ body: () throws(PKCS11Error) -> Signature
    ) throws(PKCS11Error) -> Signature {
        try signing.sync(flags: alone ? .barrier : []) {
            Result { () throws(PKCS11Error) in try body() }
        }.get()
    }

    /// Where the token is now: in the slot where the agent last saw it, or in another one.
    ///
    /// - Throws: `.notFound` when it is in no slot, or more than one has a token that says the same of itself.
    func slot(of reference: TokenReference) throws(PKCS11Error) -> Slot {
        let usual = module.slot(id: reference.slotID)
        var failure: PKCS11Error?
        do throws(PKCS11Error) {
            if try usual.token().description == reference.token { return usual }
        } catch {
            guard error.saysTokenIsGone else { throw error }
            failure = error
        }
        let others = try module.slotsWithToken().filter { slot in
            // A slot that does not answer is not the one; `usual` has been asked already.
            slot.id != usual.id && (try? slot.token().description) == reference.token
        }
        guard others.count < 2 else { throw .notFound(.onlyToken) }
        guard let other = others.first else { throw failure ?? .absentToken }
        return other
    }
}
