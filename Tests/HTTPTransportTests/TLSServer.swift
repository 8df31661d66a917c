import Foundation

/// A TLS server in a process of its own, with a certificate and an authority made for it.
///
/// It answers with the request it got, and tells in a header whether the TLS session was a resumed one.
final class TLSServer {
    enum Mode: String {
        case echo
        /// Closes the connection when the handshake is done.
        case hangUp
        /// Speaks nothing newer than TLS 1.1.
        case old
    }

    let port: UInt16
    /// The authority's certificate in PEM.
    var caBundle: String { folder.appending(path: "ca.pem").path }
    private let folder: URL
    private let process = Process()

    init(names: String = "DNS:localhost,IP:127.0.0.1,DNS:service.test", hasExpired: Bool = false, mode: Mode = .echo)
        throws
    {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-server-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let output = Pipe()
        try Self.certify(names: names, hasExpired: hasExpired, in: folder)
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, mode.rawValue]
        process.currentDirectoryURL = folder
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = UInt16(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CocoaError(.executableLoad)
        }
        self.port = port
    }

    deinit {
        // SIGTERM would stay pending: the child has the signal mask of the thread that started it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)  // a leftover in the temporary folder harms nobody
    }

    private static func certify(names: String, hasExpired: Bool, in folder: URL) throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
        let extensions = "subjectAltName=\(names)\nbasicConstraints=critical,CA:FALSE\n"
        try Data(extensions.utf8).write(to: folder.appending(path: "extensions"))
        try openssl(
            ["req", "-x509", "-subj", "/CN=Test Root", "-days", "2", "-out", "ca.pem"] + key + ["ca.key"], in: folder)
        try openssl(["req", "-new", "-subj", "/CN=server", "-out", "server.csr"] + key + ["server.key"], in: folder)
        let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        let days = hasExpired ? "-1" : "2"
        try openssl(sign + ["-extfile", "extensions", "-days", days, "-out", "server.pem"], in: folder)
    }

    private static func openssl(_ arguments: [String], in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    }

    private static let script = """
        import socket, ssl, sys
        mode = sys.argv[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("server.pem", "server.key")
        if mode == "old":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        while True:
            plain, _ = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as peer:
                    if mode == "hangUp":
                        continue
                    request = b""
                    while b"\\r\\n\\r\\n" not in request:
                        part = peer.recv(65536)
                        if not part:
                            break
                        request += part
                    head = "HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nX-Resumed: %s\\r\\n\\r\\n" % (
                        len(request), peer.session_reused)
                    peer.sendall(head.encode() + request)
                    peer.unwrap()
            except OSError:
                pass
        """
}
