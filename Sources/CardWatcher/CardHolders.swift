import Glibc
import PlainText

/// The programs that may hold a card: pcscd does not tell whom it serves, so these are the ones that have its library
/// loaded, as far as this user may look. An agent's workers share each card.
enum CardHolders {
    private static let most = 8
    /// A browser's map of memory has some 100 KiB.
    private static let longestMap = 4 << 20

    static func candidates() -> [String] {
        guard let folder = unsafe opendir("/proc") else { return [] }
        defer { unsafe closedir(folder) }
        var found: [String] = []
        while found.count < most, let entry = unsafe readdir(folder) {
            guard let process = unsafe Int32(String(cString: name(of: entry))), process != getpid(), usesPCSC(process)
            else { continue }
            let comm = read("/proc/\(process)/comm", atMost: 64).prefix { $0 != UInt8(ascii: "\n") }
            let name = PlainText.terminal(String(decoding: comm, as: UTF8.self))
            guard !name.hasPrefix("tokenward-") else { continue }
            found.append("\(name) (process \(process))")
        }
        return found
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> UnsafePointer<CChar> {
        // The field's bytes lie in `entry`, which readdir keeps until its next call.
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        return unsafe UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    }

    private static func usesPCSC(_ process: Int32) -> Bool {
        read("/proc/\(process)/maps", atMost: longestMap).contains(Array("/libpcsclite.so".utf8))
    }

    /// Empty where it cannot be read.
    private static func read(_ path: String, atMost limit: Int) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < limit {
            let count = unsafe Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return bytes
    }
}
