import PKCS11
import TokenService

/// The private key that a signature is asked of, as far as the agent has seen it.
struct WantedKey: Hashable {
    private let id: [UInt8]
    private let label: [UInt8]?
    private let publicHalf: PublicHalf?

    init(_ request: SignRequest) {
        id = request.keyID
        label = request.keyLabel
        publicHalf = request.publicHalf
    }

    /// The CKA_ID to search for; nil where the key has none, and every key is a candidate.
    var searchedID: [UInt8]? { id.isEmpty ? nil : id }

    /// Whether the key's name has been seen, and is to be asked for.
    var isNamed: Bool { label != nil }

    /// Whether the key that is named so is the one: it has the label, the CKA_ID or none, and may sign. Keys that do not
    /// show their public halves are told apart by nothing else.
    func isName(of values: AttributeValues) -> Bool {
        values[.label] ?? [] == label && values[.id] ?? [] == id && values.flag(.sign) ?? true
    }

    /// Whether this may be the key's public half. An EC private key often shows no point, and then contradicts nothing.
    func mayBe(_ half: PublicHalf) -> Bool {
        switch (half, publicHalf) {
        case (_, nil): return true
        case (.rsa, .rsa), (.ec, .ec):
            guard let value = half.value, let wanted = publicHalf?.value else { return true }
            return value.withoutExponent == wanted.withoutExponent
        case (.other, .other): return half == publicHalf
        default: return false
        }
    }
}

extension PublicHalf {
    /// CKA_KEY_TYPE.
    var keyType: UInt64 {
        switch self {
        case .rsa: KeyType.rsa
        case .ec: KeyType.ec
        case .other(let keyType): keyType
        }
    }
}
