import LockedMemory
import PKCS11
import PKCS11URI
import TokenService

@testable import TokenWorker

/// A PIN of these bytes.
func held(_ bytes: some Collection<UInt8>) throws -> HeldPIN {
    let bytes = Array(bytes)
    return try HeldPIN(
        unsafe PIN(mayHoldControlBytes: true) { (page) throws(PINError) in
            unsafe page.copyBytes(from: bytes)
            return bytes.count
        })
}

func held(_ text: String) throws -> HeldPIN { try held(text.utf8) }

func reference(_ label: String = "token", slot: UInt64 = 0) -> TokenReference {
    TokenReference(
        slotID: slot,
        token: TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: Array("01".utf8)))
}

func login(
    _ source: LoginRequest.Source = .typed, refused: [FailedPIN] = [], mayBeReserved: Bool = false,
    isFromLogin: Bool = false
) -> LoginRequest {
    LoginRequest(
        token: reference(), source: source, refused: refused, mayBeReserved: mayBeReserved, isFromLogin: isFromLogin)
}

/// One that no PIN of these tests has.
func failedPIN(_ byte: UInt8 = 1) -> FailedPIN {
    guard
        let failed = FailedPIN(
            salt: [UInt8](repeating: byte, count: FailedPIN.saltLength),
            hash: [UInt8](repeating: byte, count: FailedPIN.hashLength))
    else { preconditionFailure("salt and hash have their lengths") }
    return failed
}

func code(_ number: UInt) -> ReturnValue { ReturnValue(rawValue: number) }

extension TokenFlags {
    /// A token in good order that wants a login: CKF_LOGIN_REQUIRED, CKF_USER_PIN_INITIALIZED, CKF_TOKEN_INITIALIZED.
    static let good: Self = [.loginRequired, .userPINInitialized, .tokenInitialized]
}
