import TokenService
import X509

extension FailedPIN {
    /// Derives what is kept of a refused PIN. scrypt, because a PIN of six digits is soon guessed from a quick hash.
    init?(_ pin: borrowing PIN, salt: [UInt8]) {
        guard
            let hash = unsafe pin.withBytes({
                unsafe Digest.scrypt($0, salt: salt, cost: .interactive, count: Self.hashLength)
            })
        else { return nil }
        self.init(salt: salt, hash: hash)
    }

    func matches(_ pin: borrowing PIN) -> Bool { FailedPIN(pin, salt: salt)?.hash == hash }
}

extension LoginOutcome {
    /// A rejection, with the means to recognise the PIN when it comes again.
    func remembering(_ pin: borrowing PIN) -> LoginOutcome {
        guard case .rejected(let returnValue, let name, _) = self else { return self }
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<FailedPIN.saltLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return .rejected(returnValue: returnValue, name: name, failed: FailedPIN(pin, salt: salt))
    }
}
