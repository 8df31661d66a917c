import HeaderFields
import IoTCore
import ServiceAnswers

extension Target {
    /// What IoT Core's credential provider answers: credentials of no known account that live and do not live too long;
    /// otherwise a reason of one line.
    static let roleAliases = Target(name: "role-aliases") { bytes in
        let (choice, body) = bytes.choice
        let statuses = [200, 200, 200, 302, 400, 403, 404, 418, 429, 503]
        let now: Int64 = 1_696_161_600  // 2023-10-01T12:00:00Z
        let answer = ServiceAnswer(
            status: statuses[Int(choice) % statuses.count],
            headers: [HeaderField(name: "Content-Type", value: "application/json")], body: Array(body), receivedAt: now)
        do throws(RoleAliasError) {
            let credentials = try RoleAliasResponse.parse(answer)
            require(answer.status == 200 && credentials.accountID == nil, "status \(answer.status)")
            require((now + 61...now + 43_800).contains(credentials.expiration), "\(credentials.expiration)")
            for text in [credentials.accessKeyID, credentials.secretAccessKey, credentials.sessionToken] {
                require(!text.isEmpty && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }, "not printable")
            }
        } catch {
            require(error.message.isOneHarmlessLine && error.message.utf8.count <= 2000, error.message)
        }
    }
}
