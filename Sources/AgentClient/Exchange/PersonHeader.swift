import CLinux

#if !hasFeature(Embedded)
    package import LockedMemory
#endif

/// Where the person sits who started this client, for the agent to ask for a PIN there: the header `Tokenward-Person`.
package enum PersonHeader {
    /// The longest value in bytes that the agent takes of a variable, and of the whole header.
    private static let longestValue = 512
    private static let longest = 2048

    /// Appends the header, if there is anything to tell.
    package static func append(to request: inout SecretBuffer) throws(ClientFailure) {
        var pairs: [UInt8] = []
        add("TTY", terminal(), to: &pairs)
        add("DISPLAY", ProcessInput.environment("DISPLAY"), to: &pairs)
        add("WAYLAND_DISPLAY", ProcessInput.environment("WAYLAND_DISPLAY"), to: &pairs)
        guard !pairs.isEmpty else { return }  // nobody is there
        add("TERM", ProcessInput.environment("TERM"), to: &pairs)
        add("LANG", ProcessInput.environment("LANG"), to: &pairs)
        add("LC_ALL", ProcessInput.environment("LC_ALL"), to: &pairs)
        add("LC_CTYPE", ProcessInput.environment("LC_CTYPE"), to: &pairs)
        add("LC_MESSAGES", ProcessInput.environment("LC_MESSAGES"), to: &pairs)
        add("XDG_RUNTIME_DIR", ProcessInput.environment("XDG_RUNTIME_DIR"), to: &pairs)
        add("DBUS_SESSION_BUS_ADDRESS", ProcessInput.environment("DBUS_SESSION_BUS_ADDRESS"), to: &pairs)
        add("XAUTHORITY", ProcessInput.environment("XAUTHORITY"), to: &pairs)
        add("PINENTRY_USER_DATA", ProcessInput.environment("PINENTRY_USER_DATA"), to: &pairs)
        try request.append("Tokenward-Person:")
        try request.append(pairs.span)
        try request.append("\r\n")
    }

    /// `GPG_TTY`, which people set for this very purpose, else what the kernel knows.
    private static func terminal() -> [UInt8]? {
        if let chosen = ProcessInput.environment("GPG_TTY"), chosen[0] == UInt8(ascii: "/") { return chosen }
        var path = [CChar](repeating: 0, count: 64)
        guard unsafe clinux_terminal(&path, path.count) == 0 else { return nil }
        return path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }

    /// Leaves out what has other characters than printable ASCII without spaces, or is too long.
    private static func add(_ name: StaticString, _ value: [UInt8]?, to pairs: inout [UInt8]) {
        guard let value, value.count <= longestValue, pairs.count + value.count + 32 <= longest else { return }
        for byte in value where byte <= 0x20 || byte >= 0x7F { return }
        pairs.append(UInt8(ascii: " "))
        for index in 0..<name.utf8CodeUnitCount { unsafe pairs.append(name.utf8Start[index]) }
        pairs.append(UInt8(ascii: "="))
        for byte in value { pairs.append(byte) }
    }
}
