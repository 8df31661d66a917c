import Foundation

/// A directory of its own for a test, removed with it.
final class ServerTestFolder: Sendable {
    let path: String

    init() throws {
        let template = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/server-XXXXXX"
        var bytes = template.utf8CString
        path = try unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            guard let start = bytes.baseAddress, let name = unsafe mkdtemp(start) else {
                throw CocoaError(.fileWriteUnknown)
            }
            return unsafe String(cString: name)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // what is left is in the temporary directory

    var socket: String { path + "/agent.sock" }
}
