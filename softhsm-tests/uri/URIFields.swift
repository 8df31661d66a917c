import PKCS11URI

/// What a parser read, in a form in which two parsers can be compared. Absent is nil; empty is empty.
struct URIFields: Equatable {
    /// Text by the attribute's name; fixed-width fields without their padding.
    var text: [String: [UInt8]] = [:]
    var type: UInt?
    var version: [UInt8]?
    var slotID: UInt?

    init() {}

    init(_ uri: PKCS11URI) {
        text["token"] = uri.token
        text["manufacturer"] = uri.manufacturer
        text["serial"] = uri.serial
        text["model"] = uri.model
        text["library-manufacturer"] = uri.libraryManufacturer
        text["library-description"] = uri.libraryDescription
        text["slot-description"] = uri.slotDescription
        text["slot-manufacturer"] = uri.slotManufacturer
        text["object"] = uri.object
        text["id"] = uri.id
        text["pin-source"] = uri.pinSource
        text["module-name"] = uri.moduleName
        text["module-path"] = uri.modulePath
        type =
            switch uri.type {
            case .data: 0
            case .certificate: 1
            case .publicKey: 2
            case .privateKey: 3
            case .secretKey: 4
            case nil: nil
            }
        version = uri.libraryVersion.map { [$0.major, $0.minor] }
        slotID = uri.slotID.map { UInt($0) }
    }
}
