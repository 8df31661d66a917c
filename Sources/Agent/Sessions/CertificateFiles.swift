import AgentAPI
import Files
import SystemPackage
import X509

/// Certificates from the files that a profile names. They are read for each session, so that a renewed one is seen.
enum CertificateFiles {
    static func read(_ path: String) throws(Problem) -> [Certificate] {
        let bytes = try content(of: path)
        do throws(CertificateFileError) {
            return try Certificate.file(bytes)
        } catch {
            throw Problem(
                .configuration, "\(path, .path): \(error.message, .reason)",
                hint: "correct the file that the profile names")
        }
    }

    private static func content(of path: String) throws(Problem) -> [UInt8] {
        do throws(Errno) {
            // One byte more than the most, which is refused where it is parsed.
            return try OpenFile(path, options: .nonBlocking).beginning(Certificate.maximumFileSize + 1)
        } catch {
            throw Problem(
                .configuration, "\(path, .path): \(error, .reason)",
                hint: "check the path, and that the agent's user may read it")
        }
    }
}
