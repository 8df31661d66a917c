import KeeperService
import PKCS11
import TokenService
import TokenWorker

/// A keeper: a worker that also makes, changes and deletes objects, for one management command of the agent's owner.
package enum Keeper {
    /// Serves the agent at the other end of `socket` until it is gone.
    ///
    /// - Parameter signatures: The other socket of a worker, on which a keeper is asked for nothing.
    /// - Returns: The exit code.
    package static func run(socket: Int32, signatures: Int32) -> Int32 {
        let held = HeldKeyFile()
        return Worker.run(
            socket: socket, signatures: signatures,
            duty: ManagementDuty { bytes, secret, open in
                do throws(KeeperFailure) {
                    return try reply(to: bytes, secret, held, open).bytes
                } catch {
                    return KeeperReply.failed(error).bytes
                }
            })
    }

    private static func reply(
        to bytes: [UInt8], _ secret: HeldPIN?, _ held: HeldKeyFile,
        _ open: (TokenReference) -> Result<OpenToken, PKCS11Error>
    ) throws(KeeperFailure) -> KeeperReply {
        let request: KeeperRequest
        do throws(WireError) {
            request = try KeeperRequest(bytes)
        } catch {
            throw KeeperFailure(.protocol, "the request is not understood: \(error)")
        }
        func token(_ reference: TokenReference) throws(KeeperFailure) -> OpenToken {
            try KeeperFailure.catching { () throws(PKCS11Error) in try open(reference).get() }
        }
        switch request {
        case .generateKey(let request): return .key(try request.carryOut(on: token(request.token)))
        case .readKey(let selection): return .key(try selection.read(on: token(selection.token)))
        case .openKeyFile(let opening): return .keyFile(try held.open(opening, secret))
        case .importKey(let request):
            return .key(try request.carryOut(on: token(request.token), held.take()))
        case .installCertificates(let request):
            return .certificates(try request.carryOut(on: token(request.token)))
        case .removeCertificates(let request):
            return .certificates(try request.carryOut(on: token(request.token)))
        case .destroyKey(let selection): return .destroyed(try selection.destroy(on: token(selection.token)))
        }
    }
}
