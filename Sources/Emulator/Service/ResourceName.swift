/// An ARN, taken apart only as far as resources are related by it.
struct ResourceName: Hashable, Sendable {
    let text: String
    let partition: String
    let service: String
    let region: String
    let account: String
    let resource: String

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "arn", text.utf8.count <= 1011, parts[1...].allSatisfy({ $0 != "*" }),
            !parts[1].isEmpty, !parts[2].isEmpty, !parts[5].isEmpty
        else { return nil }
        self.text = text
        partition = parts[1]
        service = parts[2]
        region = parts[3]
        account = parts[4]
        resource = parts[5]
    }
}
