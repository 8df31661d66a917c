import AWSNames
import HeaderFields
import STS
import ServiceAnswers

extension Target {
    /// What STS answers to AssumeRole: credentials for the role and the session that were asked for, which live and do not
    /// live too long; otherwise a reason of one line.
    static let sts = Target(name: "sts") { bytes in
        guard let request = Self.request else { fatalError("the request of this target cannot be made") }
        let (choice, body) = bytes.choice
        let statuses = [200, 200, 400, 403, 429, 500, 503, 302]
        let now: Int64 = 1_696_161_600  // 2023-10-01T12:00:00Z
        let answer = ServiceAnswer(
            status: statuses[Int(choice) % statuses.count],
            headers: [HeaderField(name: "Content-Type", value: "text/xml")], body: body, receivedAt: now)
        do throws(STSError) {
            let role = try STSResponse.assumedRole(answer, to: request)
            require(answer.status == 200, "status \(answer.status)")
            require("\(role.arn)" == "arn:aws:sts::123456789012:assumed-role/demo/TestAR", "\(role.arn)")
            require((now + 61...now + 4200).contains(role.credentials.expiration), "\(role.credentials.expiration)")
        } catch {
            require(error.message.isOneHarmlessLine && error.message.utf8.count <= 2000, error.message)
            require(error.hint?.isOneHarmlessLine != false, error.hint ?? "")
        }
    }

    private static let request: AssumeRoleRequest? = {
        guard let role = try? ARN("arn:aws:iam::123456789012:role/path/demo", as: .role),
            let service = try? STSService(region: "eu-west-2"), let options = try? AssumeRoleOptions()
        else { return nil }
        return try? AssumeRoleRequest(role: role, sessionName: "TestAR", options: options, service: service)
    }()

    /// The reader of STS' XML: what it takes has the names and the bounds that it promises.
    static let xml = Target(name: "xml") { bytes in
        guard let root = try? XMLReader.read(bytes.span) else { return }
        check(root, depth: 1)
    }

    private static func check(_ element: XMLElement, depth: Int) {
        require(depth <= 8, "depth \(depth)")
        require(element.children.isEmpty || element.text.isEmpty, "text beside children")
        require(Set(element.children.map(\.name)).count == element.children.count, "two children of one name")
        require(
            element.text.unicodeScalars.allSatisfy { $0.value >= 0x20 || "\t\n\r".unicodeScalars.contains($0) },
            "control")
        for child in element.children { check(child, depth: depth + 1) }
    }
}
