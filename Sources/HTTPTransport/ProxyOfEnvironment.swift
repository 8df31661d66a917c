import Glibc

/// The proxy that libcurl takes from the environment for https (libcurl-env(3)).
enum ProxyOfEnvironment {
    /// A proxy of a scheme that libcurl does not know: it connects to nothing, unless no_proxy says that the host needs none.
    static let refused = "tls-proxy-refused://proxy"

    /// Whether it is of scheme https.
    static var isOverTLS: Bool {
        let names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        return names.lazy.compactMap(value).first { !$0.isEmpty }.map(isOverTLS) ?? false
    }

    private static func value(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    private static func isOverTLS(_ proxy: String) -> Bool { proxy.lowercased().hasPrefix("https://") }
}
