import Files
import PlainText

/// The programs that a request comes from: the one that asks, and those that started it. Read from /proc, to be shown
/// to people: a program can choose its own name, so no decision depends on it.
///
/// Our own client stands between the agent and the program that wants credentials, so it is left out.
package struct Ancestry {
    package struct Program {
        /// The command, whole, with the program that runs it where that has another name: `aws (python3.11)`.
        package let name: String
        /// Its working directory; nil where it may not be read.
        let folder: String?
    }

    /// The one that asks comes first; at most three.
    package let programs: [Program]

    private static let ownClient = "tokenward-credential-process"
    private static let most = 3
    /// How many processes are looked at: shells of shells often have one name.
    private static let depth = 12
    private static let longest = 64

    /// - Parameter readsMemory: Whether a script's name may be read from its arguments where the kernel has cut it. They
    ///   are in the process's memory, and a process can delay those who read it, by a page fault that hangs.
    package init(of processID: Int32, readsMemory: Bool = true) {
        var programs: [Program] = []
        var next = processID
        for _ in 0..<Self.depth {
            guard next > 1, let process = Self.process(next, readsMemory: readsMemory) else { break }
            next = process.parent
            if process.program.name == Self.ownClient, programs.isEmpty { continue }
            if programs.last?.name != process.program.name { programs.append(process.program) }
        }
        self.init(programs)
    }

    init(_ programs: [Program]) { self.programs = Array(programs.prefix(Self.most)) }

    /// `aws (python3.11), from make, from bash in ~/infra`.
    ///
    /// - Parameter home: The folder that is written as `~`.
    func describe(home: String? = nil) -> String {
        guard let first = programs.first else { return "a program that has ended" }
        let names = programs.map(\.name).joined(separator: ", from ")
        guard let folder = first.folder else { return names }
        guard let home, home != "/", !home.isEmpty, folder == home || folder.hasPrefix("\(home)/") else {
            return "\(names) in \(folder)"
        }
        return "\(names) in ~\(folder.dropFirst(home.count))"
    }

    /// The name of a command.
    ///
    /// - Parameters:
    ///   - comm: The kernel's name for it, cut to 15 bytes (proc_pid_comm(5)).
    ///   - program: The file name of the program that runs.
    ///   - arguments: The file names of its first two arguments, one of which may be a script.
    static func name(comm: String, program: String?, arguments: [String]) -> String {
        guard let program else { return comm }
        if program.hasPrefix(comm) { return program }
        let whole = arguments.first { comm.utf8.count == 15 && $0.hasPrefix(comm) } ?? comm
        return "\(whole) (\(program))"
    }

    private static func process(_ id: Int32, readsMemory: Bool) -> (program: Program, parent: Int32)? {
        // The name stands in parentheses, and may hold parentheses (proc_pid_stat(5)).
        guard let status = OpenFile.beginning(of: "/proc/\(id)/stat", 1024),
            let open = status.firstIndex(of: UInt8(ascii: "(")),
            let close = status.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let fields = status[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let parent = Int32(String(decoding: fields[1], as: UTF8.self)) else { return nil }
        let line = readsMemory ? OpenFile.beginning(of: "/proc/\(id)/cmdline", 1024) : nil
        let arguments = (line ?? []).split(separator: 0).prefix(2).map {
            fileName(PlainText.prompt($0))
        }
        let name = name(
            comm: PlainText.prompt(status[(open + 1)..<close]), program: target("/proc/\(id)/exe").map(fileName),
            arguments: arguments)
        return (Program(name: String(name.prefix(2 * longest)), folder: target("/proc/\(id)/cwd")), parent)
    }

    private static func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    private static func target(_ link: String) -> String? {
        (try? FileName.target(ofLink: link)).map { PlainText.prompt($0.prefix(1024)) }
    }
}
