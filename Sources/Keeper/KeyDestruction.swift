import KeeperService
import PKCS11
import PKCS11Management
import TokenWorker

extension KeySelection {
    /// Deletes the private key and its public key, and looks whether they are gone. Certificates stay.
    ///
    /// - Returns: What they were.
    /// - Throws: `.disobeyed` where the token has answered CKR_OK and done something else, as ykcs11 2.2 does.
    func destroy(on token: OpenToken) throws(KeeperFailure) -> KeyReport {
        let pair = try find(on: token)
        let certificates = try token.named(.certificate).filter { $0.id == pair.report.id }.count
        if let privateKey = pair.privateKey {
            do throws(KeeperFailure) {
                try delete(privateKey, on: token)
                try checkDeletion(of: pair.report, certificates, on: token)
            } catch {
                var failure = error
                failure.remains = failure.remains ?? loss(of: pair.report, on: token)
                throw failure
            }
        }
        for publicKey in pair.publicKeys {
            do throws(KeeperFailure) {
                try delete(publicKey, on: token)
            } catch {
                var failure = error
                if pair.privateKey != nil { failure.remains = "the private key is gone, and its public key is left" }
                throw failure
            }
        }
        return pair.report
    }

    /// - Parameter certificates: How many it had.
    private func checkDeletion(
        of report: KeyReport, _ certificates: Int, on token: OpenToken
    ) throws(KeeperFailure) {
        let isThere = try token.named(.privateKey).contains { isSame($0, report) }
        let left = try token.named(.certificate).filter { $0.id == report.id }.count
        guard !isThere else {
            throw KeeperFailure(
                .disobeyed, "the token says that the key is deleted, and still has it",
                remains: left < certificates ? "and has deleted its certificate instead" : nil)
        }
        guard left == certificates else {
            throw KeeperFailure(.disobeyed, "the key is deleted", remains: "its certificate is gone with it")
        }
    }

    /// What a deletion that failed has done to the private key all the same; nil where it is there.
    private func loss(of report: KeyReport, on token: OpenToken) -> String? {
        do throws(KeeperFailure) {
            return try token.named(.privateKey).contains { isSame($0, report) } ? nil : "the private key is gone"
        } catch {
            return "it could not be looked at whether the private key is gone (\(error.text))"
        }
    }

    private func isSame(_ object: NamedObject, _ report: KeyReport) -> Bool {
        object.id == report.id && object.label == report.label
    }

    private func delete(_ object: Object, on token: OpenToken) throws(KeeperFailure) {
        try KeeperFailure.catching { () throws(PKCS11Error) in
            try token.with { (session) throws(PKCS11Error) in try session.destroy(object) }
        }
    }
}
