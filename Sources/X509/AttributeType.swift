import COpenSSL
import Encodings

/// The types of a distinguished name's attributes, by the one name under which we compare them.
enum AttributeType {
    /// OpenSSL's short name for a short name in any case, a long name or an object identifier in dotted decimal; the
    /// identifier itself where OpenSSL has no name for it. Nil for what is none of these.
    static func name(_ written: String) -> String? {
        // Converting a dotted identifier takes quadratic time, and none that is in use is this long.
        guard (1...64).contains(written.utf8.count) else { return nil }
        let isPrefixed = written.lowercased().hasPrefix("oid.")
        let bare = isPrefixed ? String(written.dropFirst(4)) : written
        let upper = bare.uppercased()
        for candidate in [bare, upper, aliases[upper] ?? upper] {
            if let name = shortName(candidate) { return name }
        }
        return isDotted(bare) ? bare : nil
    }

    /// Other programs' names of two of them, and one that OpenSSL never writes.
    private static let aliases = [
        "E": "emailAddress", "EMAIL": "emailAddress", "EMAILADDRESS": "emailAddress", "S": "ST",
        "SERIALNUMBER": "serialNumber",
        "GIVENNAME": "GN", "SURNAME": "SN", "STREET": "street", "TITLE": "title", "DNQUALIFIER": "dnQualifier",
        "ORGANIZATIONIDENTIFIER": "organizationIdentifier", "POSTALCODE": "postalCode",
    ]

    private static func shortName(_ text: String) -> String? {
        withCleanErrorQueue {
            let identifier = unsafe OBJ_txt2nid(text)
            guard identifier != NID_undef, let name = unsafe OBJ_nid2sn(identifier) else { return nil }
            return unsafe String(cString: name)
        }
    }

    private static func isDotted(_ text: String) -> Bool {
        let arcs = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return arcs.count > 1
            && arcs.allSatisfy { arc in
                !arc.isEmpty && arc.allSatisfy(\.isDigit)
            }
    }
}
