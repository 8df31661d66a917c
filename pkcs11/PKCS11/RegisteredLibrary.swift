import CP11Kit
import CUnloadedModules
import Glibc
import SystemPackage

/// A module as p11-kit's configuration registers it for this user and for workers (pkcs11.conf(5)).
package struct RegisteredLibrary: Hashable, Sendable {
    package var name: String
    /// The library's absolute path; nil for a module that runs in another process (`remote:`).
    package var path: String?
    /// `x-init-reserved:`
    package var initArguments: String?
    /// `trust-policy: yes`: it holds trust anchors, not keys.
    package var isTrusted: Bool

    /// The program name that `enable-in:` and `disable-in:` are compared with, see `all`.
    private static let program = "tokenward-worker"

    /// All of them, as p11-kit itself reads its files. No library is loaded, so that none of its code runs, and one that is
    /// missing is told of as well. For a process that does nothing else.
    ///
    /// - Throws: `.notRead` with p11-kit's reason.
    package static func all() throws(PKCS11Error) -> [RegisteredLibrary] {
        let error = cunloaded_load_no_modules()
        guard error == 0 else {
            throw .notRead(reason: "its library cannot be asked: \(Errno(rawValue: error))")
        }
        p11_kit_be_quiet()
        unsafe p11_kit_set_progname(program)
        guard let modules = unsafe p11_kit_modules_load(nil, 0) else {
            throw .notRead(reason: unsafe text(p11_kit_message()) ?? "no reason given")
        }
        // Not released: the process ends.
        var found: [RegisteredLibrary] = []
        var next = unsafe modules
        while let module = unsafe next.pointee {
            unsafe found.append(RegisteredLibrary(module))
            unsafe next += 1
        }
        return found
    }

    private init(_ module: CK_FUNCTION_LIST_PTR) {
        name = unsafe Self.owned(p11_kit_module_get_name(module)) ?? ""
        let isRemote = unsafe Self.owned(p11_kit_config_option(module, "remote")) != nil
        path = isRemote ? nil : unsafe Self.owned(p11_kit_module_get_filename(module))
        initArguments = unsafe Self.owned(p11_kit_config_option(module, "x-init-reserved"))
        isTrusted = unsafe p11_kit_module_get_flags(module) & CInt(P11_KIT_MODULE_TRUSTED) != 0
    }

    private static func text(_ text: UnsafePointer<CChar>?) -> String? {
        unsafe text.map { unsafe String(cString: $0) }
    }

    /// The text of a string that the caller frees.
    private static func owned(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        defer { unsafe free(text) }
        return unsafe Self.text(UnsafePointer(text))
    }
}
