import COpenSSL
import X509

/// OpenSSL's legacy provider, which has RC2, in a library context of its own: nothing else of the process can come to use
/// it. It is loaded when a file first needs it, and stays for as long as the process does.
enum LegacyProvider {
    private nonisolated(unsafe) static let loaded: OpaquePointer? = {
        guard let context = unsafe OSSL_LIB_CTX_new() else { return nil }
        // Without "default" there would be no hash to derive a key with.
        guard unsafe OSSL_PROVIDER_load(context, "default") != nil, unsafe OSSL_PROVIDER_load(context, "legacy") != nil
        else {
            unsafe OSSL_LIB_CTX_free(context)
            return nil
        }
        return unsafe context
    }()

    /// The library context for an encryption: OpenSSL's own, which is nil, or that with the legacy provider.
    static func context(for encryption: PasswordEncryption) throws(KeyFileError) -> OpaquePointer? {
        guard encryption.needsLegacyProvider else { return nil }
        guard let context = unsafe loaded else { throw .noLegacyProvider }
        return unsafe context
    }
}
