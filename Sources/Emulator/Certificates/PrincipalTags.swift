import COpenSSL

/// The session tags that the default attribute mapping makes of a certificate, such as `x509Subject/CN`.
///
/// Source: IAM Roles Anywhere user guide, "Attribute mapping" and "Trust policy".
struct PrincipalTags {
    private(set) var values: [String: String] = [:]

    init(_ certificate: ReceivedCertificate) {
        unsafe add(X509_get_subject_name(certificate.handle), under: "x509Subject")
        unsafe add(X509_get_issuer_name(certificate.handle), under: "x509Issuer")
        addAlternativeNames(of: certificate)
        // STS tags take letters, spaces, numbers and _.:/=+-@ only; the service drops other values.
        values = values.filter { $0.value.count <= 256 && $0.value.unicodeScalars.allSatisfy(Self.isTagCharacter) }
    }

    var commonName: String? { values["x509Subject/CN"] }

    private mutating func add(_ name: OpaquePointer?, under prefix: String) {
        for index in unsafe 0..<max(0, X509_NAME_entry_count(name)) {
            let entry = unsafe X509_NAME_get_entry(name, index)
            guard let key = unsafe OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))),
                let value = unsafe Self.text(X509_NAME_ENTRY_get_data(entry))
            else { continue }
            // Several values of one attribute are one tag.
            let tag = unsafe "\(prefix)/\(String(cString: key))"
            values[tag] = values[tag].map { "\($0)/\(value)" } ?? value
        }
    }

    private mutating func addAlternativeNames(of certificate: ReceivedCertificate) {
        guard let names = unsafe X509_get_ext_d2i(certificate.handle, NID_subject_alt_name, nil, nil) else { return }
        let stack = OpaquePointer(names)
        defer { unsafe GENERAL_NAMES_free(stack) }
        for index in unsafe 0..<max(0, OPENSSL_sk_num(stack)) {
            guard let element = unsafe OPENSSL_sk_value(stack, index) else { continue }
            let name = unsafe element.assumingMemoryBound(to: GENERAL_NAME.self).pointee
            switch unsafe name.type {
            case GEN_DNS: unsafe addFirst("x509SAN/DNS", Self.text(name.d.dNSName))
            case GEN_URI: unsafe addFirst("x509SAN/URI", Self.text(name.d.uniformResourceIdentifier))
            case GEN_DIRNAME: unsafe add(name.d.directoryName, under: "x509SAN/Name")
            default: break
            }
        }
    }

    private mutating func addFirst(_ tag: String, _ value: String?) {
        if values[tag] == nil { values[tag] = value }
    }

    private static func text(_ string: UnsafePointer<ASN1_STRING>?) -> String? {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&bytes, string)
        guard count >= 0, let start = unsafe bytes else { return nil }
        defer { unsafe tokenward_OPENSSL_free(start) }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    static func isTagCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .spaceSeparator,
            .lineSeparator, .paragraphSeparator, .decimalNumber, .letterNumber, .otherNumber:
            true
        default: "_.:/=+-@".unicodeScalars.contains(scalar)
        }
    }
}

extension PrincipalTags {
    /// CloudTrail's name for the source of the session (user guide, "Source identity").
    func sourceIdentity(hexSerial: String) -> String {
        switch commonName {
        case .some(let name) where name.count <= 61: "CN=\(name)"
        case .some(let name) where name.count <= 64: name
        default: "ID=\(hexSerial)"
        }
    }
}
