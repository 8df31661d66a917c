import AgentAPI
import Identities
import UTCTime
import X509

/// All that is known of a certificate, for Roles Anywhere's sake: `tokenward certificate show --json`.
struct CertificateReport: Message {
    /// Of a certificate on a token.
    var uri: String?
    var subject = ""
    var issuer = ""
    var serial = ""
    var serialHexadecimal = ""
    /// RFC 3339, UTC.
    var notBefore = ""
    var notAfter = ""
    var keyType = ""
    /// Where the private key is, on the same token.
    var keyURI: String?
    /// Why there is none that can be used.
    var keyReason: String?
    var sourceIdentity = ""
    var sessionName = ""
    var tags: [Tag] = []
    var rules: [Rule] = []

    struct Tag: Message {
        var key = ""
        var value = ""
        var remark: String?

        mutating func members(_ coder: inout MessageCoder) {
            coder.member("key", &key)
            coder.member("value", &value)
            coder.member("remark", &remark)
        }
    }

    struct Rule: Message {
        var rule = ""
        var requirement = ""
        var met = true
        var reason: String?

        mutating func members(_ coder: inout MessageCoder) {
            coder.member("rule", &rule)
            coder.member("requirement", &requirement)
            coder.member("met", &met)
            coder.member("reason", &reason)
        }
    }

    mutating func members(_ coder: inout MessageCoder) {
        coder.member("uri", &uri)
        coder.member("subject", &subject)
        coder.member("issuer", &issuer)
        coder.member("serial", &serial)
        coder.member("serial_hexadecimal", &serialHexadecimal)
        coder.member("not_before", &notBefore)
        coder.member("not_after", &notAfter)
        coder.member("key_type", &keyType)
        coder.member("key_uri", &keyURI)
        coder.member("key_reason", &keyReason)
        coder.member("source_identity", &sourceIdentity)
        coder.member("session_name", &sessionName)
        coder.member("tags", &tags)
        coder.member("rules", &rules)
    }
}

extension CertificateReport {
    /// - Parameter now: In seconds since 1970.
    init(_ certificate: Certificate, at now: Int64) {
        self.init()
        subject = certificate.subject.description
        issuer = certificate.issuer.description
        serial = certificate.serial.decimal
        serialHexadecimal = certificate.serial.hexadecimal
        notBefore = "\(UTCTime(secondsSince1970: certificate.notBefore))"
        notAfter = "\(UTCTime(secondsSince1970: certificate.notAfter))"
        keyType = certificate.publicKey.description
        let session = SessionAttributes(of: certificate)
        sourceIdentity = session.sourceIdentity
        sessionName = session.sessionName
        tags = session.tags.map { tag in
            Tag {
                ($0.key, $0.value) = (tag.key, tag.value)
                $0.remark = tag.doubt.map { doubt in
                    switch doubt {
                    case .dropped: "left out by the service: a tag cannot have this value"
                    case .undocumented: "AWS documents no spelling of this attribute"
                    }
                }
            }
        }
        rules = IdentityRules.Rule.allCases.map { rule in
            let reason = rule.reason(against: certificate, at: now)
            return Rule {
                ($0.rule, $0.requirement, $0.met) = (rule.rawValue, rule.requirement, reason == nil)
                $0.reason = reason?.message
            }
        }
    }

    /// For a person: one line for each fact.
    var table: Table {
        var table = Table("FIELD", "VALUE")
        if let uri { table.append("uri", uri) }
        table.append("subject", subject)
        table.append("issuer", issuer)
        table.append("serial", "\(serial) (0x\(serialHexadecimal))")
        table.append("valid from", notBefore)
        table.append("valid until", notAfter + (Moment(notAfter).map { ", \($0.distance)" } ?? ""))
        table.append("key", keyType)
        let key = [keyURI, keyReason].compactMap(\.self)
        table.append(
            "private key", key.isEmpty ? "not looked for: only the agent sees tokens" : key.joined(separator: ": "))
        table.append("source identity", sourceIdentity)
        table.append("session name", sessionName)
        for tag in tags {
            table.append("tag \(tag.key)", tag.value + (tag.remark.map { " (\($0))" } ?? ""))
        }
        for rule in rules {
            table.append("rule \(rule.rule)", rule.reason.map { "broken: \($0)" } ?? "met: \(rule.requirement)")
        }
        return table
    }
}
