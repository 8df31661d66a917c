package import CP11Kit

/// A PKCS#11 library, loaded and initialised through p11-kit in managed mode, which gives it thread-safe
/// initialisation and reference counting (p11-kit manual, "Initialization"). It is finalised when the last user,
/// such as an open session, lets go.
@safe package final class Module: Sendable {
    /// p11-kit's wrapper of the module's function list: never NULL in any member, and not changed after loading.
    package nonisolated(unsafe) let functions: CK_FUNCTION_LIST_PTR

    /// The module was initialised without locks: only one thread may call it at a time.
    package let isSingleThreaded: Bool

    /// Loads `path` and calls C_Initialize with CKF_OS_LOCKING_OK; without arguments where the module refuses that.
    ///
    /// - Parameter path: An absolute path. The library's constructors run: only a process of its own should do this.
    /// - Parameter arguments: The string for `pReserved`, which NSS softokn wants (p11-kit's `x-init-reserved:`).
    /// - Throws: `.notLoaded` with the linker's reason, or C_Initialize's code.
    package init(path: String, arguments: String? = nil) throws(PKCS11Error) {
        p11_kit_be_quiet()
        do throws(PKCS11Error) {
            unsafe functions = try Self.load(path, flags: 0) { functions in
                guard let arguments else { return unsafe p11_kit_module_initialize(functions) }
                return unsafe initialize(functions, arguments)
            }
            isSingleThreaded = false
        } catch {
            guard arguments == nil, error.returnValue?.refusesLocking == true else { throw error }
            // p11-kit passes arguments always, except to a module that it does not manage and that is called directly.
            unsafe functions = try Self.load(path, flags: CInt(P11_KIT_MODULE_UNMANAGED)) {
                unsafe $0.pointee.C_Initialize(nil)
            }
            isSingleThreaded = true
        }
    }

    private static func load(
        _ path: String, flags: CInt, initialize: (CK_FUNCTION_LIST_PTR) -> CK_RV
    ) throws(PKCS11Error) -> CK_FUNCTION_LIST_PTR {
        guard let functions = unsafe p11_kit_module_load(path, flags) else {
            let message = unsafe p11_kit_message().map { unsafe String(cString: $0) }
            throw .notLoaded(reason: message ?? "no reason given")
        }
        do throws(PKCS11Error) {
            try check(.initialize, unsafe initialize(functions))
        } catch {
            unsafe p11_kit_module_release(functions)
            throw error
        }
        return unsafe functions
    }

    deinit {
        unsafe p11_kit_module_finalize(functions)
        unsafe p11_kit_module_release(functions)
    }

    /// What the library says of itself (C_GetInfo).
    package func information() throws(PKCS11Error) -> ModuleInformation {
        var info = CK_INFO()
        try check(.getInfo, unsafe functions.pointee.C_GetInfo(&info))
        return ModuleInformation(
            manufacturer: unpadded(info.manufacturerID), description: unpadded(info.libraryDescription),
            version: "\(info.libraryVersion.major).\(info.libraryVersion.minor)")
    }

    /// The slots that hold a token now.
    ///
    /// The list is asked for with a NULL buffer first even where its size is known: OpenSC looks for new readers only then.
    package func slotsWithToken() throws(PKCS11Error) -> [Slot] {
        for _ in 0..<3 {  // a token that comes between the two calls makes the buffer too small
            var count: CK_ULONG = 0
            try check(.getSlotList, unsafe functions.pointee.C_GetSlotList(CK_BBOOL(CK_TRUE), nil, &count))
            guard count <= Slot.limit else {
                throw .overLimit(what: "a slot count", value: UInt(count), limit: Slot.limit)
            }
            guard count > 0 else { return [] }
            var identifiers = [CK_SLOT_ID](repeating: 0, count: Int(count))
            let capacity = count
            let returnValue = unsafe functions.pointee.C_GetSlotList(CK_BBOOL(CK_TRUE), &identifiers, &count)
            if ReturnValue(rawValue: UInt(returnValue)) == .bufferTooSmall { continue }
            try check(.getSlotList, returnValue)
            guard count <= capacity else {
                throw .nonsense(what: "C_GetSlotList wrote more slots than it had room for")
            }
            return identifiers.prefix(Int(count)).map { Slot(module: self, id: $0) }
        }
        throw .nonsense(what: "C_GetSlotList never answered twice with the same count")
    }

    /// A slot by its number, which is only as stable as the module makes it.
    package func slot(id: UInt64) -> Slot { Slot(module: self, id: CK_SLOT_ID(id)) }
}

/// CK_INFO, in words.
package struct ModuleInformation: Hashable, Sendable {
    package let manufacturer: [UInt8]
    package let description: [UInt8]
    package let version: String
}

/// Calls C_Initialize with a string as `pReserved`, which p11_kit_module_initialize cannot. p11-kit's wrapper hands the
/// arguments on as they are.
private func initialize(_ functions: CK_FUNCTION_LIST_PTR, _ reserved: String) -> CK_RV {
    var text = Array(reserved.utf8CString)
    return unsafe text.withUnsafeMutableBufferPointer { text in
        // NSS reads a pointer of its own behind the standard's structure, so that a NULL must follow.
        var arguments = unsafe [CK_C_INITIALIZE_ARGS](repeating: CK_C_INITIALIZE_ARGS(), count: 2)
        unsafe arguments[0].flags = CK_FLAGS(CKF_OS_LOCKING_OK)
        unsafe arguments[0].pReserved = UnsafeMutableRawPointer(text.baseAddress)
        return unsafe functions.pointee.C_Initialize(&arguments)
    }
}
