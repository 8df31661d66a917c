import AWSNames
import Encodings
import PKCS11URI
import STS

extension TokenAccessKey {
    /// AWS' first region, which every account of the partition `aws` has.
    private static let usualRegion = "us-east-1"

    /// Reads the keys of a profile whose source is access-key; nil, with a fault, where a required one is missing or wrong.
    init?(reading table: inout TableReader) {
        let id = table.required("access-key-id", Self.accessKeyID)
        let secretKey = table.required("secret-key", Self.secretKey)
        let duration = table.integer("session-duration-seconds", in: 900...129_600)
        let place = STSPlace(reading: &table, for: .accessKey)
        let mfa = MFADevice(reading: &table)
        guard let id, let secretKey else { return nil }
        do throws(RequestFault) {
            let service = try place.service(in: place.region ?? Self.usualRegion)
            self.init(
                id: id, secretKey: secretKey,
                request: try GetSessionTokenRequest(
                    durationSeconds: duration ?? (mfa == nil ? 3600 : 43_200), accountID: mfa?.accountID,
                    service: service), mfa: mfa)
        } catch {
            table.fault("\(table.title): \(error.message)")
            return nil
        }
    }

    /// The value is not repeated: it may be the secret, in the wrong line.
    private static func accessKeyID(_ node: TOMLNode) throws(ValueFault) -> String {
        let text = try node.text()
        guard (16...128).contains(text.utf8.count), text.utf8.allSatisfy({ $0.isUppercase || $0.isDigit }) else {
            throw ValueFault(" is no access key's id; give its 16 to 128 capital letters and digits, such as AKIA…")
        }
        guard !text.hasPrefix("ASIA") else {
            throw ValueFault(" is that of a session; give an IAM user's, which begins with AKIA")
        }
        return text
    }

    private static func secretKey(_ node: TOMLNode) throws(ValueFault) -> PKCS11URI {
        let text = try node.text(limit: 65_536)
        // Not repeated: it may be the secret itself.
        guard text.lowercased().hasPrefix("pkcs11:") else {
            throw ValueFault(
                " is no pkcs11: URI; give that of the secret key on the token, and never the secret itself")
        }
        let uri = try PKCS11URI(reading: node)
        guard uri.type ?? .secretKey == .secretKey else {
            throw ValueFault(" names no secret key; write type=secret-key")
        }
        guard uri.object != nil || uri.id != nil else {
            throw ValueFault(" names no key; add its object= or id=")
        }
        return uri
    }
}
