import Glibc

/// The programs that a request comes from: the peer's, and those that started it. Read from /proc for people's eyes:
/// any program can call itself what it likes, so nothing is decided by it.
struct Ancestry: CustomStringConvertible {
    /// The peer first.
    let programs: [String]

    private static let depth = 6
    private static let longestName = 64

    init(of processID: Int32) {
        var programs: [String] = []
        var next = processID
        while next > 1, programs.count < Self.depth, let process = Self.process(next) {
            programs.append(process.name)
            next = process.parent
        }
        self.programs = programs
    }

    var description: String {
        programs.isEmpty ? "a program that has ended" : programs.joined(separator: ", started by ")
    }

    /// `comm (path)` of a process, or only one where they agree; and its parent.
    private static func process(_ id: Int32) -> (name: String, parent: Int32)? {
        // The name stands in parentheses, and may hold parentheses (proc_pid_stat(5)).
        guard let status = read("/proc/\(id)/stat"), let open = status.firstIndex(of: UInt8(ascii: "(")),
            let close = status.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let fields = status[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let parent = Int32(String(decoding: fields[1], as: UTF8.self)) else { return nil }
        let name = plain(status[(open + 1)..<close])
        guard let program = target("/proc/\(id)/exe"), program.split(separator: "/").last.map(String.init) != name
        else {
            return (name, parent)
        }
        return ("\(name) (\(program))", parent)
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    private static func target(_ link: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 1024)
        let count = unsafe readlink(link, &bytes, bytes.count)
        return count > 0 ? plain(bytes.prefix(count).map { UInt8(bitPattern: $0) }[...]) : nil
    }

    /// What is no printable ASCII could steer the terminal that shows it.
    private static func plain(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix(longestName).map { 0x20...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
