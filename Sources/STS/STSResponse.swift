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
    /// - Throws: `STSError` for a refusal, and for credentials that are incomplete, of another shape than AWS gives them,
    ///   for another role or session, expired, or good for longer than was asked for.
    package static func assumedRole(
        _ answer: ServiceAnswer, to request: AssumeRoleRequest
    ) throws(STSError) -> AssumedRole {
        let reading = STSReading(operation: .assumeRole, answer: answer)
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
        let reading = STSReading(operation: .getSessionToken, answer: answer)
        return try reading.credentials(
            of: try reading.result(), durationSeconds: request.durationSeconds, accountID: request.accountID)
    }
}

/// One answer, while it is read.
struct STSReading {
    let operation: STSOperation
    let answer: ServiceAnswer

    /// The element `…Result` of a good answer.
    func result() throws(STSError) -> XMLElement {
        guard answer.status == 200 else { throw refusal }
        guard answer.declaresXML else { throw error(.notXML) }
        let root: XMLElement
        do throws(XMLFault) {
            root = try XMLReader.read(answer.body.span)
        } catch {
            throw self.error(error.reason == .tooMuch ? .malformed(field: "the XML text, too large") : .notXML)
        }
        guard root.name == "\(operation.rawValue)Response", let result = root["\(operation.rawValue)Result"] else {
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
        do throws(IssuedCredentials.Fault) {
            return try issued.checked(
                durationSeconds: durationSeconds, receivedAt: answer.receivedAt, accountID: accountID)
        } catch {
            switch error {
            case .expired: throw self.error(.expiredAnswer)
            case .malformed(let member):
                let name = "\(member)"
                throw self.error(.malformed(field: "Credentials.\(name.prefix(1).uppercased())\(name.dropFirst())"))
            }
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
