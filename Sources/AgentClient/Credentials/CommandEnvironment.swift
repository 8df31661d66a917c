import CLinux
import JSON
import LockedMemory

/// The environment of a command that gets credentials: this process's, without what leads to other ones, and what is added,
/// which may be secret.
package struct CommandEnvironment: ~Copyable {
    /// The variables by which prompts tell where they are; their presence means that there are credentials already.
    package static let marks: [StaticString] = ["TOKENWARD_PROFILE", "AWS_VAULT"]

    /// `NAME=value` and a zero byte, again and again.
    private var added: SecretBuffer
    private var names: [[UInt8]] = []
    private var starts: [Int] = []

    /// - Parameter capacity: Of the values that are added, in bytes.
    /// - Throws: Exit code 75 without memory.
    package init(capacity: Int) throws(ClientFailure) {
        added = try SecretBuffer.make(capacity: capacity + 4096, isLocked: true)
    }

    /// - Throws: Exit code 64 for a zero byte, 70 for what does not fit.
    package mutating func set(_ name: StaticString, _ value: some Collection<UInt8>) throws(ClientFailure) {
        try begin(name)
        for byte in value {
            guard byte != 0 else { throw ClientFailure(.usage, "\(name) has a zero byte", hint: "take it out") }
            try added.append(byte)
        }
        try added.append(0)
    }

    /// - Parameter body: The agent's answer.
    /// - Throws: Exit code 70 for credentials that are not whole.
    package mutating func setCredentials(_ body: Span<UInt8>) throws(ClientFailure) {
        let members = try CredentialAnswer.check(body)
        for setting in CredentialSetting.all where members.value(setting.member, in: body) != nil {
            try begin(setting.variable)
            _ = try setting.bytes(of: members, in: body) { (byte) throws(ClientFailure) in try added.append(byte) }
            try added.append(0)
        }
    }

    private mutating func begin(_ name: StaticString) throws(ClientFailure) {
        names.append(unsafe Array(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)))
        starts.append(added.count)
        try added.append(name)
        try added.append(UInt8(ascii: "="))
    }

    /// Whether a variable that this process has goes to the command.
    func keeps(_ name: some Collection<UInt8>) -> Bool {
        !AWSVariable.leadsElsewhere(name) && !names.contains { $0.elementsEqual(name) }
    }

    /// This process becomes the command.
    ///
    /// - Parameter command: Its words, and nil behind them.
    /// - Returns: Why not, as an errno.
    package borrowing func execute(_ command: UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
        var entries = unsafe [UnsafeMutablePointer<CChar>?]()
        var next = unsafe clinux_environment()
        while let here = unsafe next, let entry = unsafe here.pointee {
            let text = unsafe Array(UnsafeRawBufferPointer(start: entry, count: strlen(entry)))
            if keeps(text.prefix { $0 != UInt8(ascii: "=") }) { unsafe entries.append(entry) }
            unsafe next = here + 1
        }
        return added.withBytes { bytes in
            unsafe bytes.withUnsafeBytes { raw in
                for start in starts {
                    let entry = unsafe raw.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0 + start) }
                    unsafe entries.append(entry?.assumingMemoryBound(to: CChar.self))
                }
                unsafe entries.append(nil)
                return unsafe clinux_execute(command, entries)
            }
        }
    }
}
