import AWSNames
import Encodings
import PlainText
import STS

/// The keys of a profile whose source is assume-role, and where they stand. The other profiles decide whether they make
/// sense: they are all read first.
struct AssumeRoleDraft {
    let base: ProfileName
    let role: ARN
    private let sessionName: String?
    private let options: AssumeRoleOptions
    private let place: STSPlace
    /// Of the user whose session assumes the role.
    private let mfaSerial: String?
    private let table: TableReader

    /// Nil, with a fault, where a required key is missing or wrong.
    init?(reading table: inout TableReader) {
        let base = table.required("source-profile") { node throws(ValueFault) in try ProfileName(reading: node) }
        let role = table.required("role-arn") { node throws(ValueFault) in try ARN(reading: node, as: .role) }
        let duration = table.integer("session-duration-seconds", in: 900...43_200)
        let name = table.value("role-session-name", Self.text(.roleSessionName))
        let externalID = table.value("external-id", Self.text(.externalID))
        let policy = table.value("policy", Self.policy)
        let policyARNs = table.list("policy-arns", Self.text(.policyARN))
        let tags = table.texts("tags") { (_, node) throws(ValueFault) in try Self.anyText(node) }
        let transitive = table.list("transitive-tag-keys", Self.text(.tagKey))
        let sourceIdentity = table.value("source-identity", Self.text(.sourceIdentity))
        mfaSerial = table.value("mfa-serial", MFADevice.serial)
        if table.mayHave("mfa-process") {
            table.fault(
                at: table.lineOf("mfa-process"),
                "mfa-process belongs to the profile whose source is access-key, because one code opens its session for all "
                    + "roles; move it there, with mfa-serial")
        }
        place = STSPlace(reading: &table, for: .assumeRole)
        if let duration, duration > AssumeRole.longestSeconds {
            table.fault(
                at: table.lineOf("session-duration-seconds"),
                "session-duration-seconds is \(duration), and AWS limits a role that is assumed by a session to one hour; "
                    + "give 900 to \(AssumeRole.longestSeconds)")
        }
        let options: AssumeRoleOptions?
        do throws(RequestFault) {
            options = try AssumeRoleOptions(
                durationSeconds: duration ?? AssumeRole.longestSeconds, externalID: externalID, policy: policy,
                policyARNs: policyARNs, tags: tags, transitiveTagKeys: transitive, sourceIdentity: sourceIdentity)
        } catch {  // it begins with the setting's name
            let key = error.message.prefix { $0 != " " }
            table.fault(at: table.lineOf(String(key)), error.message)
            options = nil
        }
        guard let base, let role, let options else { return nil }
        self.base = base
        self.role = role
        self.options = options
        sessionName = name
        self.table = table
    }

    /// The request, in the region of its own or else that of the chain's root.
    ///
    /// - Parameters:
    ///   - profile: The profile's name, which the session's is made of where none is given.
    ///   - inherited: Partition and region of the root, where they are known.
    ///   - user: The access key of the IAM user whose session assumes the role; nil for a role's session.
    /// - Returns: Nil, with a fault, where they do not agree.
    func resolved(
        _ profile: ProfileName, _ inherited: (partition: String?, region: String?), of user: TokenAccessKey?
    ) -> AssumeRole? {
        checkMFA(of: user)
        if let partition = inherited.partition, partition != role.partition {
            table.fault(
                at: table.lineOf("role-arn"),
                "role-arn is in partition \(role.partition), and the sessions of \(base) are of \(partition), which have no "
                    + "role in another; name a role in \(partition)")
            return nil
        }
        guard let region = place.region ?? inherited.region else {
            table.fault("\(table.title) has no region, and source-profile \(base) tells none; add it")
            return nil
        }
        do throws(RequestFault) {
            let request = try AssumeRoleRequest(
                role: role, sessionName: sessionName ?? String("tokenward-\(profile)".prefix(64)), options: options,
                service: try place.service(in: region))
            return AssumeRole(base: base, request: request)
        } catch {
            table.fault("\(table.title): \(error.message)")
            return nil
        }
    }

    /// A fault of `source-profile`.
    func faultInBase(_ message: @autoclosure () -> String) {
        table.fault(at: table.lineOf("source-profile"), message())
    }

    /// A code is for a user: AWS takes none from a role's session. It opens the user's own, once for all roles.
    private func checkMFA(of user: TokenAccessKey?) {
        guard let mfaSerial else { return }
        guard let user else {
            return table.fault(
                at: table.lineOf("mfa-serial"),
                "mfa-serial asks for the code of an IAM user, and source-profile \(base) is no access key: its sessions take no "
                    + "MFA; remove it, and where a certificate begins the chain, let the role's trust policy ask for its "
                    + "attributes (aws:PrincipalTag/x509Subject/CN) in place of aws:MultiFactorAuthPresent")
        }
        if user.mfa?.serial != mfaSerial {
            table.fault(
                at: table.lineOf("mfa-serial"),
                "mfa-serial is \(mfaSerial.quoted), and source-profile \(base) has \(user.mfa?.serial.quoted ?? "none"); give "
                    + "\(base) the same, because one code opens its session for all roles")
        }
    }

    private static func text(_ rule: RequestText) -> (TOMLNode) throws(ValueFault) -> String {
        { node throws(ValueFault) in
            let text = try node.text()
            do throws(RequestFault) {
                try rule.check(text)
            } catch {
                // The message begins with the key's own name.
                throw ValueFault(error.message.without(prefix: rule.setting))
            }
            return text
        }
    }

    /// The value of a tag, which may be empty; its rule is checked with its key's.
    private static func anyText(_ node: TOMLNode) throws(ValueFault) -> String {
        guard case .text(let text) = node.value else { throw ValueFault(" is \(node.kind); give a string") }
        return text
    }

    /// A JSON text, which may have several lines.
    private static func policy(_ node: TOMLNode) throws(ValueFault) -> String {
        let text = try anyText(node)
        do throws(RequestFault) {
            try AssumeRoleOptions.checkPolicy(text)
        } catch {
            throw ValueFault(error.message.without(prefix: RequestText.policy.setting))
        }
        return text
    }
}
