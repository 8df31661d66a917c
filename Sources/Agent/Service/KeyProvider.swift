import KeeperService
import PKCS11URI
import TokenService

/// The makers of tokens whose word on a key means something else than the standard says (PKCS#11 2.40 §4.9), as measured.
enum KeyProvider: Hashable {
    case nss
    case openCryptoki
    case tpm
    case yubikey
    case other

    /// - Parameter module: What the token's module says of itself. A token of tpm2-pkcs11 names the maker of the TPM.
    init(_ module: ModuleReport) {
        let maker = String(decoding: module.manufacturer, as: UTF8.self)
        let library = String(decoding: module.description, as: UTF8.self)
        self =
            if maker.hasPrefix("Mozilla Foundation") {
                .nss
            } else if maker.hasPrefix("IBM") {
                .openCryptoki
            } else if maker.hasPrefix("Yubico") {
                .yubikey
            } else if maker.hasPrefix("tpm2-software") || library.hasPrefix("TPM2") {
                .tpm
            } else {
                .other
            }
    }

    /// Whether the token is a YubiKey by ykcs11, before its module is asked anything.
    static func isYubiKey(_ token: TokenDescription) -> Bool { token.manufacturer.starts(with: "Yubico".utf8) }

    /// What an auditor has to know of the report.
    func remarks(on report: KeyReport) -> [String] {
        guard report.hasPrivateKey else { return ["the token shows no private key for it"] }
        var remarks: [String] = []
        if report.isExtractable == true || report.isSensitive == false {
            remarks.append("the key can leave the token: use another one")
        }
        if report.isNeverExtractable == false || report.isAlwaysSensitive == false {
            remarks.append("the key could leave the token once, or came from outside")
        }
        switch self {
        case .nss:
            remarks.append("NSS says of keys that it has made, too, that they are not local: that proves nothing here")
        case .openCryptoki:
            remarks.append(
                "openCryptoki says never extractable of imported keys as well, so that only local speaks for the key")
        case .tpm:
            remarks.append("tpm2-pkcs11 lets whoever has the PIN set extractable again: it proves little here")
        case .yubikey, .other: break
        }
        if report.isLocal == nil || report.isNeverExtractable == nil {
            remarks.append("the token does not say all of it")
        }
        remarks.append("this is the word of the token's module, which no signature of the maker proves")
        return remarks
    }
}
