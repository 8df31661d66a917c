/// The attributes of a PKCS#11 URI that this project takes, in the order in which they are printed: the order of the
/// grammar in RFC 7512 §2.3.
enum URIAttribute: String, CaseIterable, Sendable {
    case token
    case manufacturer
    case serial
    case model
    case libraryManufacturer = "library-manufacturer"
    case libraryVersion = "library-version"
    case libraryDescription = "library-description"
    case object
    case type
    case id
    case slotDescription = "slot-description"
    case slotManufacturer = "slot-manufacturer"
    case slotID = "slot-id"
    case pinSource = "pin-source"
    case moduleName = "module-name"
    case modulePath = "module-path"

    /// The half of the URI that it stands in.
    var component: URIComponent {
        switch self {
        case .pinSource, .moduleName, .modulePath: .query
        default: .path
        }
    }

    /// Where its value is kept; nil for those that are not text.
    var text: WritableKeyPath<PKCS11URI, [UInt8]?>? {
        switch self {
        case .token: \.token
        case .manufacturer: \.manufacturer
        case .serial: \.serial
        case .model: \.model
        case .libraryManufacturer: \.libraryManufacturer
        case .libraryDescription: \.libraryDescription
        case .object: \.object
        case .id: \.id
        case .slotDescription: \.slotDescription
        case .slotManufacturer: \.slotManufacturer
        case .pinSource: \.pinSource
        case .moduleName: \.moduleName
        case .modulePath: \.modulePath
        case .libraryVersion, .type, .slotID: nil
        }
    }

    /// The width in bytes of the C field that it is compared with; nil where that is no field of fixed width
    /// (PKCS#11 2.40 §3.1, §3.2: CK_INFO, CK_SLOT_INFO, CK_TOKEN_INFO).
    var fieldWidth: Int? {
        switch self {
        case .token, .manufacturer, .libraryManufacturer, .libraryDescription, .slotManufacturer: 32
        case .serial, .model: 16
        case .slotDescription: 64
        default: nil
        }
    }

    /// The longest value in bytes, escapes undone. PKCS#11 sets no limit for labels and IDs; this one is ours.
    var maximumLength: Int { fieldWidth ?? 1024 }
}
