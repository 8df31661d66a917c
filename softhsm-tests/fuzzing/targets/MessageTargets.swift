import AgentAPI
import JSON

extension Target {
    /// What the agent tells the command line: a message that is understood is written as one that is understood as the same.
    static let messages = Target(name: "messages") { bytes in
        let (choice, body) = bytes.choice
        guard let json = try? JSONValue(body.span) else { return }
        switch choice % 5 {
        case 0: check(Status.self, json)
        case 1: check([TokenListing].self, json)
        case 2: check([IdentityListing].self, json)
        case 3: check([ExplainedCandidate].self, json)
        default: check(ProblemDocument.self, json)
        }
    }

    private static func check<Value: MessageValue>(_ type: Value.Type, _ json: JSONValue) {
        guard let message = Value(json) else { return }
        let text = message.json
        guard let again = try? JSONValue(text.span) else { fatalError(String(decoding: text, as: UTF8.self)) }
        require(Value(again) == message, String(decoding: text, as: UTF8.self))
    }
}
