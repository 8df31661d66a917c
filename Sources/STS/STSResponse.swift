package import AWSNames
import Encodings
import HeaderFields
package import ServiceAnswers

/// What AssumeRole brought. It prints as its credentials do.
package struct AssumedRole: Hashable, Sendable {
    package let credentials: SessionCredentials
    /// `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`
    package let arn: ARN
    /// How much of the room for session policies and tags is used, in per cent.
    package let packedPolicySize: Int?
    /// As set by this call or by one before it in the chain.
    package let sourceIdentity: String?
}

/// Reads answers of STS, and believes nothing of them that does not fit the request.
package enum STSResponse {
    /// - Throws: A refusal; or that credentials are incomplete, of another shape than AWS gives them,
    ///   for another role or session, expired, or good for longer than was asked for.
    package static func assumedRole(
        _ answer: ServiceAnswer, to request: AssumeRoleRequest
    ) throws(STSError) -> AssumedRole {
        let reading = STSReading(answer, of: STSOperation.assumeRole.rawValue)
        let result = try reading.result()
        // What is no ARN is told as such.
        guard let text = result["AssumedRoleUser"]?["Arn"]?.text, let arn = try? ARN(text) else {
            throw reading.error(.malformed(field: "AssumedRoleUser.Arn"))
        }
        guard arn.isSession(of: request.roleARN, named: request.roleSessionName) else {
            throw reading.error(.wrongRole)
        }
        let sourceIdentity = result["SourceIdentity"]?.text
        if let asked = request.options.sourceIdentity, let sourceIdentity, asked != sourceIdentity {
            throw reading.error(.malformed(field: "SourceIdentity"))
        }
        return AssumedRole(
            credentials: try reading.credentials(
                of: result, durationSeconds: request.options.durationSeconds, accountID: request.roleARN.account),
            arn: arn, packedPolicySize: try reading.percentage(result["PackedPolicySize"]),
            sourceIdentity: sourceIdentity)
    }

    /// - Throws: As `assumedRole`.
    package static func session(
        _ answer: ServiceAnswer, to request: GetSessionTokenRequest
    ) throws(STSError) -> SessionCredentials {
        let reading = STSReading(answer, of: STSOperation.getSessionToken.rawValue)
        return try reading.credentials(
            of: try reading.result(), durationSeconds: request.durationSeconds, accountID: request.accountID)
    }
}

typealias STSReading = ServiceReading<STSRefusal>

extension STSReading {
    /// The element `…Result` of a good answer.
    func result() throws(STSError) -> XMLElement {
        guard answer.status == 200 else { throw refusal }
        guard answer.declaresXML else { throw error(.foreign) }
        let root: XMLElement
        do throws(XMLFault) {
            root = try XMLReader.read(answer.body.span)
        } catch {
            throw self.error(error.reason == .tooMuch ? .malformed(field: "the XML text, too large") : .foreign)
        }
        guard root.name == "\(operation)Response", let result = root["\(operation)Result"] else {
            throw error(.malformed(field: root.name == "html" ? "the XML text, a web page" : "the result"))
        }
        return result
    }

    func credentials(
        of result: XMLElement, durationSeconds: Int, accountID: String?
    ) throws(STSError) -> SessionCredentials {
        let element = result["Credentials"]
        let issued = IssuedCredentials(
            accessKeyID: element?["AccessKeyId"]?.text, secretAccessKey: element?["SecretAccessKey"]?.text,
            sessionToken: element?["SessionToken"]?.text, expiration: element?["Expiration"]?.text)
        return try checked(issued, durationSeconds: durationSeconds, accountID: accountID) { name in
            "Credentials.\(name.prefix(1).uppercased())\(name.dropFirst())"
        }
    }

    func percentage(_ element: XMLElement?) throws(STSError) -> Int? {
        guard let text = element?.text else { return nil }
        guard text.utf8.count <= 4, text.utf8.allSatisfy(\.isDigit), let size = Int(text) else {
            throw error(.malformed(field: "PackedPolicySize"))
        }
        return size
    }
}

extension ServiceAnswer {
    /// Whether it says to be XML, or says nothing.
    var declaresXML: Bool {
        guard let type = headers.value(of: "Content-Type") else { return true }
        let bare = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return bare == "text/xml" || bare == "application/xml"
    }
}
