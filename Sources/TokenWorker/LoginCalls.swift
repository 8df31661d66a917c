import Glibc
import LockedMemory
import PKCS11
import TokenService

extension LoginAttempt {
    /// Takes the steps, on the thread that has the token's session.
    ///
    /// - Parameters:
    ///   - module: What is remembered of its PINs is read at each look.
    ///   - typed: The PIN of a request whose source is `.typed`.
    ///   - isOver: Whether the request has no effect any more: asked before the PIN is read, and before it is sent.
    ///   - send: The one C_Login; its argument is nil for the reader's own pinpad.
    /// - Returns: How it ended, and the PIN.
    /// - Throws: `.notFound` when another token is in the slot, which must not get this one's PIN; what C_Login has answered and
    ///   says nothing of the PIN.
    mutating func carryOut(
        on token: OpenToken, of module: LoadedModule, typed: HeldPIN?, isOver: () -> Bool,
        send: (UnsafeRawBufferPointer?) throws(PKCS11Error) -> Void
    ) throws(PKCS11Error) -> (outcome: LoginOutcome, pin: HeldPIN?) {
        var held: HeldPIN?
        while true {
            switch step {
            case .look:
                let information = try token.look()
                module.pins.withLock { note($0) }
                note(flags: TokenFlags(rawValue: information.flags), lengths: information.pinLength)
            case .rest(let milliseconds):
                usleep(useconds_t(milliseconds * 1000))
                noteRest()
            case .fetchPIN where isOver(), .send where isOver(): noteIsOver()
            case .fetchPIN:
                let found = Result { () throws(PINError) in try request.readPIN(typed: typed) }
                held = try? found.get()  // the error is noted
                note(pin: found.map { PINShape($0.pin) })
            case .compare: note(mayBeRefused: held.map { request.refused.mayContain($0.pin) } ?? true)
            case .send:
                do throws(PKCS11Error) {
                    if let held {
                        try held.pin.withBytes { (bytes) throws(PKCS11Error) in
                            try unsafe bytes.withUnsafeBytes { (raw) throws(PKCS11Error) in try unsafe send(raw) }
                        }
                    } else {
                        try send(nil)
                    }
                } catch {
                    try note(answer: error)
                    continue
                }
                try note(answer: nil)
            case .logOut:
                try? token.logOut()  // what it answers changes nothing
                noteLogout()
            case .end(let outcome):
                guard let held else { return (outcome, nil) }
                return (outcome.remembering(held.pin, salt: request.refused.first?.salt), held)
            }
        }
    }
}

extension LoginRequest {
    fileprivate func readPIN(typed: HeldPIN?) throws(PINError) -> HeldPIN {
        switch source {
        case .file(let path): return HeldPIN(try PIN(file: path, isCredential: false))
        case .credential(let path): return HeldPIN(try PIN(file: path, isCredential: true))
        case .typed, .protected:
            guard let typed else { throw .empty }
            return typed
        }
    }
}
