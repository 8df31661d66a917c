import LockedMemory
import PKCS11
import TokenService
import X509

extension FailedPIN {
    /// Derives what is kept of a refused PIN. scrypt, because a PIN of six digits is soon guessed from a quick hash.
    init?(_ pin: borrowing PIN, salt: [UInt8]) {
        guard
            let hash = pin.withBytes({ bytes in
                unsafe bytes.withUnsafeBytes {
                    unsafe Digest.scrypt($0, salt: salt, cost: .interactive, count: Self.hashLength)
                }
            })
        else { return nil }
        self.init(salt: salt, hash: hash)
    }
}

extension [FailedPIN] {
    /// Whether the PIN is one of these, or cannot be compared: what is not known to be new is not sent. PINs of one token
    /// share a salt, so that many cost no more than one.
    func mayContain(_ pin: borrowing PIN) -> Bool {
        for salt in Set(map(\.salt)) {
            guard let candidate = FailedPIN(pin, salt: salt), !contains(candidate) else { return true }
        }
        return false
    }
}

extension LoginOutcome {
    /// A rejection of the PIN itself, with the means to recognise the PIN when it comes again.
    ///
    /// - Parameter salt: The one that the token's other refused PINs have; nil makes one.
    func remembering(_ pin: borrowing PIN, salt: [UInt8]?) -> LoginOutcome {
        guard case .rejected(let returnValue, let name, _, _) = self,
            ReturnValue(rawValue: UInt(returnValue)).meaning == .wrongPIN
        else { return self }
        var generator = SystemRandomNumberGenerator()
        let salt = salt ?? (0..<FailedPIN.saltLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return .rejected(
            returnValue: returnValue, name: name, failed: FailedPIN(pin, salt: salt), oddities: pin.oddities)
    }
}
