import AgentAPI
import Glibc
import X509

/// Certificates from the files that a profile names. They are read for each session, so that a renewed one is seen.
enum CertificateFiles {
    static func read(_ path: String) throws(Problem) -> [Certificate] {
        let bytes = try content(of: path)
        do throws(CertificateFileError) {
            return try Certificate.file(bytes)
        } catch {
            throw Problem(.configuration, "\(path): \(error.message)", hint: "correct the file that the profile names")
        }
    }

    private static func content(of path: String) throws(Problem) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            throw Problem(
                .configuration, "\(path): \(unsafe String(cString: strerror(errno)))",
                hint: "check the path, and that the agent's user may read it")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= Certificate.maximumFileSize {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        return bytes
    }
}
