import Glibc
import Identities
import KeeperService
import KeyFiles
import Synchronization
import TokenService
import X509

/// The key file of this keeper's command, between its reading and the import.
final class HeldKeyFile: Sendable {
    private let file = Mutex<Opened?>(nil)

    /// A file, and which of its certificates go to the token.
    struct Opened: ~Copyable {
        let file: KeyFile
        let intermediates: [Certificate]
    }

    /// Reads the file and keeps it, in the place of one that was read before.
    ///
    /// - Throws: `.keyFile` and `.keyFilePassword`, with the reason for people.
    func open(_ opening: KeyFileOpening, _ secret: HeldPIN?) throws(KeeperFailure) -> KeyFileReport {
        let opened = try Self.read(opening, secret)
        let others = opened.file.others.count - opened.intermediates.count
        let report = KeyFileReport(
            keyType: opened.file.key.publicKey.description, certificate: opened.file.certificate?.der,
            intermediates: opened.intermediates.map(\.der), leftOut: others)
        replace(with: opened)
        return report
    }

    private func replace(with opened: consuming Opened) {
        var opened = Optional(opened)
        file.withLock { file in file = opened.take() }
    }

    /// Takes the file: an import is tried once.
    func take() throws(KeeperFailure) -> Opened {
        guard let opened = file.withLock({ $0.take() }) else {
            throw KeeperFailure(.protocol, "no key file was read before")
        }
        return opened
    }

    private static func read(_ opening: KeyFileOpening, _ secret: HeldPIN?) throws(KeeperFailure) -> Opened {
        do throws(KeyFileError) {
            let password = try Self.password(opening.password, secret)
            let file = try KeyFile.read(opening.content.span, password: password)
            let intermediates =
                file.certificate.map {
                    CertificateChain.intermediates(for: $0, from: file.others, at: Int64(time(nil)))
                } ?? []
            return Opened(file: file, intermediates: intermediates)
        } catch {
            let isAboutPassword = error == .wrongPassword || error == .passwordNeeded
            throw KeeperFailure(isAboutPassword ? .keyFilePassword : .keyFile, error.message)
        }
    }

    private static func password(
        _ kind: KeyFileOpening.Password, _ secret: HeldPIN?
    ) throws(KeyFileError) -> FilePassword {
        switch (kind, secret) {
        case (.secret, let secret?):
            return try secret.pin.withBytes { (bytes) throws(KeyFileError) in try FilePassword(bytes) }
        case (.empty, _): return try FilePassword([UInt8]().span)
        case (.none, _), (.secret, nil): return try FilePassword()
        }
    }
}
