package import CP11Kit

/// An open session, read-only but in a keeper and where the module has no such. It keeps its module loaded, has one owner, and closes when that owner lets go.
///
/// One session is for one thread at a time: SoftHSM crashes when two share it.
@safe package struct TokenSession: ~Copyable, Sendable {
    package let module: Module
    package let handle: CK_SESSION_HANDLE

    /// Opens a session (C_OpenSession). Callers must not open or close two sessions of a module at the same time:
    /// tpm2-pkcs11 1.9 gives both threads the same handle.
    ///
    /// - Parameter isReadWrite: For a keeper, and for modules that refuse a read-only session; a worker writes nothing all
    ///   the same.
    package init(slot: Slot, isReadWrite: Bool = false) throws(PKCS11Error) {
        var handle = CK_SESSION_HANDLE()
        try check(
            .openSession,
            unsafe slot.module.functions.pointee.C_OpenSession(
                slot.identifier, CK_FLAGS(CKF_SERIAL_SESSION | (isReadWrite ? CKF_RW_SESSION : 0)), nil, nil, &handle))
        module = slot.module
        self.handle = handle
    }

    deinit { _ = unsafe module.functions.pointee.C_CloseSession(handle) }  // nobody is left to tell

    /// Whether this process is logged in to the session's token (C_GetSessionInfo). A login is every session's.
    package borrowing func isLoggedIn() throws(PKCS11Error) -> Bool {
        var info = CK_SESSION_INFO()
        try check(.getSessionInfo, unsafe module.functions.pointee.C_GetSessionInfo(handle, &info))
        return [CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS].contains { info.state == CK_STATE($0) }
    }

    /// Logs this process in to the token as its user (C_Login). Called once for a PIN; never again after a refusal.
    ///
    /// - Parameter pin: The PIN's bytes, or nil for the reader's own pinpad (CKF_PROTECTED_AUTHENTICATION_PATH).
    /// - Throws: CKR_PIN_INCORRECT, CKR_PIN_LOCKED, `.userAlreadyLoggedIn` and what else a vendor invents: a code that is
    ///   not known may have cost a try.
    package borrowing func logIn(pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        try unsafe logIn(as: CK_USER_TYPE(CKU_USER), pin: pin)
    }

    /// Gives the PIN to the operation that was just begun in this session (C_Login with CKU_CONTEXT_SPECIFIC), which a
    /// key with CKA_ALWAYS_AUTHENTICATE asks for. Between C_SignInit and C_Sign, never again after a refusal.
    ///
    /// - Throws: As `logIn`; `.userTypeInvalid` or `.userAlreadyLoggedIn` where the token has no such login and asks for
    ///   none.
    package borrowing func logInForOperation(pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        try unsafe logIn(as: CK_USER_TYPE(CKU_CONTEXT_SPECIFIC), pin: pin)
    }

    private borrowing func logIn(as user: CK_USER_TYPE, pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        let bytes = unsafe pin?.assumingMemoryBound(to: UInt8.self)
        // C_Login takes a mutable pointer by its C type, and does not write (PKCS#11 2.40 §5.6).
        let pointer = unsafe bytes.flatMap { unsafe UnsafeMutablePointer(mutating: $0.baseAddress) }
        try check(
            .logIn,
            unsafe module.functions.pointee.C_Login(handle, user, pointer, CK_ULONG(bytes?.count ?? 0)))
    }

    /// Logs this process out of the token (C_Logout): every session's private handles end.
    package borrowing func logOut() throws(PKCS11Error) {
        try check(.logOut, unsafe module.functions.pointee.C_Logout(handle))
    }
}
