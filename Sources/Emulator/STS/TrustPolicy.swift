/// Who may assume a role: the part of IAM's policy language that trust policies are written in.
///
/// Source: IAM user guide, "JSON policy element reference". Left out are NotPrincipal, NotAction, the operators for numbers,
/// dates and addresses, and the policies of the caller's own account: who is trusted may ask.
struct TrustPolicy: Sendable {
    struct Statement: Sendable {
        var isAllow = true
        /// ARNs, account numbers, services, or `*`.
        var principals: [String] = []
        var actions: [String] = []
        /// Operator, key and the values of which one must fit.
        var conditions: [(operation: String, key: String, values: [String])] = []
    }

    var statements: [Statement] = []

    /// - Parameters:
    ///   - action: Such as `sts:AssumeRole`.
    ///   - principals: All names of the caller: its ARN, its role's, its account's.
    ///   - context: The condition keys' values, keys in lower case.
    func allows(_ action: String, to principals: Set<String>, in context: [String: [String]]) -> Bool {
        let matching = statements.filter { statement in
            statement.actions.contains { Self.matches($0.lowercased(), action.lowercased()) }
                && statement.principals.contains { $0 == "*" || principals.contains($0) }
                && statement.conditions.allSatisfy { Self.holds($0, in: context) }
        }
        return matching.contains { $0.isAllow } && !matching.contains { !$0.isAllow }
    }

    private static func holds(
        _ condition: (operation: String, key: String, values: [String]), in context: [String: [String]]
    ) -> Bool {
        var operation = condition.operation
        let passesIfMissing = operation.hasSuffix("IfExists")
        if passesIfMissing { operation.removeLast("IfExists".count) }
        let isForAll = operation.hasPrefix("ForAllValues:")
        operation = operation.split(separator: ":").last.map(String.init) ?? ""
        guard let values = context[condition.key.lowercased()] else {
            if operation == "Null" { return condition.values.contains("true") }
            return passesIfMissing || isForAll || operation.hasPrefix("StringNot")
        }
        func fits(_ value: String) -> Bool {
            condition.values.contains { wanted in
                switch operation {
                case "StringEquals", "StringNotEquals", "ArnEquals": wanted == value
                case "StringEqualsIgnoreCase": wanted.lowercased() == value.lowercased()
                case "Bool": wanted.lowercased() == value.lowercased()
                default: matches(wanted, value)
                }
            }
        }
        if operation == "Null" { return condition.values.contains("false") }
        if operation.hasPrefix("StringNot") { return !values.contains(where: fits) }
        return isForAll ? values.allSatisfy(fits) : values.contains(where: fits)
    }

    /// All of an account, with tags and source identities.
    static func trusting(_ account: String) -> TrustPolicy {
        TrustPolicy(statements: [
            Statement(
                principals: [account], actions: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
        ])
    }

    static let operators: Set = [
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike", "ArnEquals",
        "ArnLike",
        "Bool", "Null",
    ]

    /// `*` stands for any characters, `?` for one.
    private static func matches(_ pattern: String, _ text: String) -> Bool {
        let (pattern, text) = (Array(pattern), Array(text))
        var (p, t, star, mark) = (0, 0, -1, 0)
        while t < text.count {
            if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t], pattern[p] != "*" {
                (p, t) = (p + 1, t + 1)
            } else if p < pattern.count, pattern[p] == "*" {
                (star, mark, p) = (p, t, p + 1)
            } else if star >= 0 {
                (p, mark, t) = (star + 1, mark + 1, mark + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
