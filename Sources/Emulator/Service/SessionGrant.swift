/// What a CreateSession request has earned.
struct SessionGrant: Sendable {
    let role: ResourceName
    let sessionName: String
    let sourceIdentity: String
    let subjectARN: String
    let expiration: UTCTime
}

extension SessionGrant {
    /// `arn:aws:sts::111122223333:assumed-role/NAME/SESSION`; the role's path is not part of it.
    var assumedRoleARN: String {
        let name = role.resource.split(separator: "/").last.map(String.init) ?? role.resource
        return "arn:\(role.partition):sts::\(role.account):assumed-role/\(name)/\(sessionName)"
    }

    /// `AROA…:SESSION`, the same for one role every time.
    var assumedRoleID: String {
        "AROA" + AccessKeyAlphabet.encode(Digest.sha256(Array(role.text.utf8)).prefix(17)) + ":" + sessionName
    }
}

/// The characters of AWS key ids.
enum AccessKeyAlphabet {
    /// One character for each byte.
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        return String(bytes.map { alphabet[Int($0 & 31)] })
    }
}
