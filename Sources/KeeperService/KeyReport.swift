package import TokenService

/// What a token says of one key pair. Each flag is the private key's, and nil where it does not say.
package struct KeyReport: Hashable, Sendable {
    /// CKA_ID
    package var id: [UInt8]
    /// CKA_LABEL
    package var label: [UInt8]
    package var publicHalf: PublicHalf
    /// CKA_LOCAL: the token has made it.
    package var isLocal: Bool?
    package var isSensitive: Bool?
    package var isAlwaysSensitive: Bool?
    package var isExtractable: Bool?
    package var isNeverExtractable: Bool?
    package var canSign: Bool?
    /// Whether the key does anything else: decrypt, unwrap, derive, sign with recovery.
    package var otherUses: [Use]
    package var alwaysAuthenticates: Bool?
    /// The objects that the token has of the pair.
    package var hasPrivateKey: Bool
    package var hasPublicKey: Bool

    package enum Use: UInt8, Hashable, Sendable, CaseIterable {
        case decrypt = 1
        case unwrap = 2
        case derive = 3
        case signRecover = 4
    }

    package init(
        id: [UInt8], label: [UInt8], publicHalf: PublicHalf, isLocal: Bool? = nil, isSensitive: Bool? = nil,
        isAlwaysSensitive: Bool? = nil, isExtractable: Bool? = nil, isNeverExtractable: Bool? = nil,
        canSign: Bool? = nil, otherUses: [Use] = [], alwaysAuthenticates: Bool? = nil,
        hasPrivateKey: Bool = true, hasPublicKey: Bool = false
    ) {
        self.id = id
        self.label = label
        self.publicHalf = publicHalf
        self.isLocal = isLocal
        self.isSensitive = isSensitive
        self.isAlwaysSensitive = isAlwaysSensitive
        self.isExtractable = isExtractable
        self.isNeverExtractable = isNeverExtractable
        self.canSign = canSign
        self.otherUses = otherUses
        self.alwaysAuthenticates = alwaysAuthenticates
        self.hasPrivateKey = hasPrivateKey
        self.hasPublicKey = hasPublicKey
    }
}

extension KeyReport.Use: WireValue {}

extension KeyReport: WireValue {
    package func write(to writer: inout WireWriter) {
        writer.add(id, label, publicHalf, isLocal, isSensitive, isAlwaysSensitive, isExtractable)
        writer.add(isNeverExtractable, canSign, otherUses, alwaysAuthenticates, hasPrivateKey)
        writer.add(hasPublicKey)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            id: try reader.value(), label: try reader.value(), publicHalf: try reader.value(),
            isLocal: try reader.value(), isSensitive: try reader.value(), isAlwaysSensitive: try reader.value(),
            isExtractable: try reader.value(), isNeverExtractable: try reader.value(), canSign: try reader.value(),
            otherUses: try reader.list(upTo: Use.allCases.count), alwaysAuthenticates: try reader.value(),
            hasPrivateKey: try reader.value(), hasPublicKey: try reader.value())
    }
}
