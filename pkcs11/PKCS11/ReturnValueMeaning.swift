import CP11Kit

extension ReturnValue {
    /// What a code says, whichever function answers it. A code has one meaning, so that no reaction depends on the order in
    /// which groups are asked.
    package enum Meaning: Hashable, CaseIterable, Sendable {
        /// The token has left, or its slot has another number now.
        case tokenGone
        /// The handle of an object is stale: private objects get new ones with each login, and some HSMs forget handles now
        /// and then.
        case staleHandle
        /// The session is gone, or holds the rest of another operation: a new session may do.
        case staleSession
        /// The library may be inconsistent (PKCS#11 2.40 §11.1.1), or says what cannot be in a process that is its own and
        /// never writes: only a new process is sure to help.
        case brokenModule
        /// The module or the token has run out of memory: fewer sessions may help, else a new process.
        case outOfMemory
        /// A person said no on the device, or did not answer.
        case personDeclined
        /// The token has looked at the PIN and does not take it: that one will never do.
        ///
        /// CKR_PIN_LOCKED and CKR_PIN_EXPIRED are not among these. A locked token looks at no PIN: the right one would be
        /// known as wrong for ever after the PUK was used, or the TPM's time was over. An expired PIN was right.
        case wrongPIN
        /// The token cannot sign this way, and has signed nothing: another mechanism may do.
        case refusedMechanism
        /// A login is missing, or a touch did not come in time.
        case missingLogin
        /// All sessions that the token has are in use.
        case noSessionLeft
        /// The key, or the token's policy, forbids it.
        case forbidden
        /// A code that a vendor has invented, or that the call has no business to answer.
        case unknown
    }

    package var meaning: Meaning {
        switch rawValue {
        case CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED, CKR_SLOT_ID_INVALID: .tokenGone
        case CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID, CKR_KEY_CHANGED: .staleHandle
        case CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED:
            .staleSession
        case CKR_GENERAL_ERROR, CKR_DEVICE_ERROR, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_CANT_LOCK,
            CKR_NEED_TO_CREATE_THREADS, CKR_MUTEX_BAD, CKR_MUTEX_NOT_LOCKED, CKR_LIBRARY_LOAD_FAILED,
            CKR_FIPS_SELF_TEST_FAILED, CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED,
            CKR_SESSION_PARALLEL_NOT_SUPPORTED, CKR_SESSION_EXISTS, CKR_SESSION_READ_ONLY_EXISTS,
            CKR_SESSION_READ_WRITE_SO_EXISTS, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_USER_TOO_MANY_TYPES:
            .brokenModule
        case CKR_HOST_MEMORY, CKR_DEVICE_MEMORY: .outOfMemory
        case CKR_FUNCTION_CANCELED, CKR_FUNCTION_REJECTED, CKR_CANCEL: .personDeclined
        case CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE: .wrongPIN
        case CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED,
            CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID,
            CKR_FUNCTION_NOT_SUPPORTED, CKR_DATA_INVALID, CKR_DATA_LEN_RANGE:
            .refusedMechanism
        case CKR_USER_NOT_LOGGED_IN: .missingLogin
        case CKR_SESSION_COUNT: .noSessionLeft
        case CKR_ACTION_PROHIBITED: .forbidden
        default: .unknown
        }
    }

    /// The module cannot be initialised with locks, or not with arguments at all.
    var refusesLocking: Bool { [CKR_ARGUMENTS_BAD, CKR_CANT_LOCK, CKR_NEED_TO_CREATE_THREADS].contains(rawValue) }
}
