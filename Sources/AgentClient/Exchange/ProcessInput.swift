import CLinux

/// The arguments and the environment of this process, as bytes: neither has to be UTF-8.
package enum ProcessInput {
    /// The arguments without the program's own name.
    package static func arguments() -> [[UInt8]] {
        var arguments: [[UInt8]] = []
        var index: Int32 = 1
        while let argument = unsafe clinux_argument(index) {
            unsafe arguments.append(bytes(argument))
            index += 1
        }
        return arguments
    }

    /// The value of a variable that is set, and not to nothing.
    package static func environment(_ name: StaticString) -> [UInt8]? {
        let name = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard let value = unsafe getenv(name) else { return nil }
        let bytes = unsafe bytes(value)
        return bytes.isEmpty ? nil : bytes
    }

    private static func bytes(_ string: UnsafePointer<CChar>) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: string, count: strlen(string)))
    }
}
