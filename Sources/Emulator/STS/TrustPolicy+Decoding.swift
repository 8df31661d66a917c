/// A policy as IAM has it, so that a real one can be pasted.
extension TrustPolicy: Decodable {
    private enum Key: String, CodingKey, CaseIterable { case Version, Id, Statement }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        let version = try object.decode(String.self, forKey: .Version)
        guard version == "2012-10-17" else { throw FileFault(description: "policy version '\(version)' is not known") }
        statements = try object.decode(OneOrMany<Statement>.self, forKey: .Statement).values
    }
}

extension TrustPolicy.Statement: Decodable {
    private enum Key: String, CodingKey, CaseIterable { case Sid, Effect, Principal, Action, Condition }

    init(from decoder: any Decoder) throws {
        let object = try decoder.object(of: Key.self)
        let effect = try object.decode(String.self, forKey: .Effect)
        guard ["Allow", "Deny"].contains(effect) else { throw FileFault(description: "'\(effect)' is no Effect") }
        isAllow = effect == "Allow"
        if let text = try? object.decode(String.self, forKey: .Principal) {  // otherwise by kind
            principals = [text]
        } else {
            let kinds = try object.decode([String: OneOrMany<String>].self, forKey: .Principal)
            principals = kinds.values.flatMap(\.values).map(Self.principal)
        }
        actions = try object.decode(OneOrMany<String>.self, forKey: .Action).values
        let conditions = try object.decodeIfPresent([String: [String: OneOrMany<String>]].self, forKey: .Condition)
        for (operation, keys) in conditions ?? [:] {
            var name = operation.hasSuffix("IfExists") ? String(operation.dropLast(8)) : operation
            for prefix in ["ForAllValues:", "ForAnyValue:"] where name.hasPrefix(prefix) {
                name.removeFirst(prefix.count)
            }
            guard TrustPolicy.operators.contains(name) else {
                throw FileFault(description: "the operator '\(operation)' is not known here")
            }
            for (key, values) in keys { self.conditions.append((operation, key, values.values)) }
        }
    }

    /// An account's number and the ARN of its root are one principal.
    private static func principal(_ text: String) -> String {
        guard let name = ResourceName(text), name.resource == "root" else { return text }
        return name.account
    }
}

/// IAM takes a value alone for an array of one; and a Boolean for its word.
private struct OneOrMany<Value: Decodable>: Decodable {
    let values: [Value]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let many = try? container.decode([Value].self) {  // otherwise one
            values = many
        } else if let flag = try? container.decode(Bool.self), let word = "\(flag)" as? Value {
            values = [word]
        } else {
            values = [try container.decode(Value.self)]
        }
    }
}
