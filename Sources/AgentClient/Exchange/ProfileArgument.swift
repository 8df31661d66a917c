#if !hasFeature(Embedded)
    import Encodings
#endif

/// The name of a profile, as it may stand in a request's path.
package struct ProfileArgument {
    package let name: String

    /// - Parameter bytes: 1 to 64 of `A-Z a-z 0-9 _ . -`, not starting with `.` or `-`.
    /// - Throws: Exit code 64 for anything else.
    package init(_ bytes: some Collection<UInt8>) throws(ClientFailure) {
        name = String(decoding: bytes, as: UTF8.self)
        let isValid = bytes.allSatisfy { byte in byte.isAlphanumeric || "_.-".utf8.contains(byte) }
        guard (1...64).contains(bytes.count), isValid, let first = bytes.first, !".-".utf8.contains(first) else {
            throw ClientFailure(
                .usage, "'\(name)' cannot be the name of a profile",
                hint: "use 1 to 64 letters, digits, '_', '.' and '-', with no '.' or '-' in front")
        }
    }

    package func path(_ end: String) -> String { "/v1/profiles/\(name)\(end)" }
}
