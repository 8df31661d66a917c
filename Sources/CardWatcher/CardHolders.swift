import Files
import Glibc
import PlainText

/// The programs that may hold a card: pcscd does not tell whom it serves, so these are the ones that have its library
/// loaded, as far as this user may look. An agent's workers share each card.
enum CardHolders {
    private static let most = 8
    /// A browser's map of memory has some 100 KiB.
    private static let longestMap = 4 << 20

    static func candidates() -> [String] {
        var found: [String] = []
        // Without /proc none is found.
        try? OpenFile("/proc", options: .directory).names { name in
            if let process = Int32(String(decoding: name, as: UTF8.self)), process != getpid(), usesPCSC(process) {
                let command = OpenFile.beginning(of: "/proc/\(process)/comm", 64) ?? []
                let name = PlainText.terminal(
                    String(decoding: command.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
                if !name.hasPrefix("tokenward-") { found.append("\(name) (process \(process))") }
            }
            return found.count < most
        }
        return found
    }

    private static func usesPCSC(_ process: Int32) -> Bool {
        let lines = OpenFile.beginning(of: "/proc/\(process)/maps", longestMap)?.split(separator: UInt8(ascii: "\n"))
        return lines?.contains { line in
            line.lastIndex(of: UInt8(ascii: "/")).map { line[$0...].starts(with: "/libpcsclite.so".utf8) } == true
        } == true
    }
}
