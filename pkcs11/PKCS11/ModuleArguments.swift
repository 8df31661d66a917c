import CP11Kit

/// Calls C_Initialize with a string as `pReserved`, which p11_kit_module_initialize cannot. p11-kit's wrapper hands the
/// arguments on as they are.
func initialize(_ functions: CK_FUNCTION_LIST_PTR, _ reserved: String) -> CK_RV {
    var text = Array(reserved.utf8CString)
    return unsafe text.withUnsafeMutableBufferPointer { text in
        // NSS reads a pointer of its own behind the standard's structure, so that a NULL must follow.
        var arguments = unsafe [CK_C_INITIALIZE_ARGS](repeating: CK_C_INITIALIZE_ARGS(), count: 2)
        unsafe arguments[0].flags = CK_FLAGS(CKF_OS_LOCKING_OK)
        unsafe arguments[0].pReserved = UnsafeMutableRawPointer(text.baseAddress)
        return unsafe functions.pointee.C_Initialize(&arguments)
    }
}
