import CP11Kit

/// What codes have in common for those who react to them. A code in no group is one that a vendor has invented, or that
/// the call has no business to answer.
extension ReturnValue {
    /// The token has left, or its slot has another number now.
    package var saysTokenIsGone: Bool {
        isOne(of: [CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED, CKR_SLOT_ID_INVALID])
    }

    /// The session or a handle is stale: a new session, and objects found anew, may do.
    package var saysStale: Bool {
        saysHandleIsStale
            || isOne(of: [
                CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED,
            ])
    }

    /// Private objects get new handles with each login, and some HSMs forget handles now and then.
    package var saysHandleIsStale: Bool {
        isOne(of: [CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID, CKR_KEY_CHANGED])
    }

    /// The library may be inconsistent (PKCS#11 2.40 §11.1.1), or says what cannot be in a process that is its own and
    /// never writes: only a new process is sure to help.
    package var saysModuleIsBroken: Bool {
        isOne(of: [
            CKR_GENERAL_ERROR, CKR_DEVICE_ERROR, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_CANT_LOCK,
            CKR_NEED_TO_CREATE_THREADS, CKR_MUTEX_BAD, CKR_MUTEX_NOT_LOCKED, CKR_LIBRARY_LOAD_FAILED,
            CKR_FIPS_SELF_TEST_FAILED, CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED,
            CKR_SESSION_PARALLEL_NOT_SUPPORTED, CKR_SESSION_EXISTS, CKR_SESSION_READ_ONLY_EXISTS,
            CKR_SESSION_READ_WRITE_SO_EXISTS, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_USER_TOO_MANY_TYPES,
        ])
    }

    /// The module or the token has run out of memory: fewer sessions may help, else a new process.
    package var saysOutOfMemory: Bool { isOne(of: [CKR_HOST_MEMORY, CKR_DEVICE_MEMORY]) }

    /// A person said no on the device, or did not answer.
    package var saysPersonDeclined: Bool {
        isOne(of: [CKR_FUNCTION_CANCELED, CKR_FUNCTION_REJECTED, CKR_CANCEL])
    }

    /// The token has looked at the PIN and does not take it: that one will never do.
    ///
    /// CKR_PIN_LOCKED and CKR_PIN_EXPIRED are not among these. A locked token looks at no PIN: the right one would be
    /// known as wrong for ever after the PUK was used, or the TPM's time was over. An expired PIN was right.
    package var judgesPIN: Bool { isOne(of: [CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE]) }

    /// The module cannot be initialised with locks, or not with arguments at all.
    var refusesLocking: Bool { isOne(of: [CKR_ARGUMENTS_BAD, CKR_CANT_LOCK, CKR_NEED_TO_CREATE_THREADS]) }

    /// Says that the token cannot sign this way, before it has signed anything: another mechanism may do.
    package var refusesMechanism: Bool {
        isOne(of: [
            CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED,
            CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID,
            CKR_FUNCTION_NOT_SUPPORTED, CKR_DATA_INVALID, CKR_DATA_LEN_RANGE,
        ])
    }

    private func isOne(of codes: [UInt]) -> Bool { codes.contains(rawValue) }
}
