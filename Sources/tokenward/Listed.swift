/// What the agent lists, as far as this program shows it. Everything may be missing and any word may be new: an agent
/// of another version is shown as well as can be. `AgentAPI` has the exact messages.
enum Listed {
    struct Identity: Decodable {
        let uri: String?
        let subject: String?
        let serial: String?
        let notAfter: String?
        let keyType: String?
        let hasKey: Bool?
        let profiles: [String]?
    }

    struct Candidate: Decodable {
        let uri: String?
        let subject: String?
        let serial: String?
        let notAfter: String?
        let chosen: Bool?
        let reasons: [String]?
    }

    struct Token: Decodable {
        var uri: String
        let label: String?
        var module: String?
        let state: String?
        let pinTries: String?
        var pinpad: Bool?
        var awaiting: String?
    }

    struct Module: Decodable {
        let module: String?
        let state: String?
        let lastError: String?
    }

    struct Profile: Decodable {
        struct Certificate: Decodable {
            let uri: String?
        }

        let name: String
        let source: String?
        let certificate: Certificate?
        let sessionExpiry: String?
        let lastError: String?
        let nextGesture: NextGesture?
        let lastRefusals: [Refusal]?
    }

    /// What a program was told in the place of credentials, the last time.
    struct Refusal: Decodable {
        let program: String?
        let uid: UInt32?
        let time: String?
        let detail: String?
    }

    /// When a person will be asked for a PIN or a touch.
    struct NextGesture: Decodable {
        let kind: String?
        let due: String?
    }

    struct Status: Decodable {
        let version: String?
        let uptimeSeconds: Int64?
        let modules: [Module]?
        let tokens: [Token]?
        let profiles: [Profile]?
        let notices: [String]?
    }
}
