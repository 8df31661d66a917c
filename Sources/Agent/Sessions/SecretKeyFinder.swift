import AgentAPI
import PKCS11URI
import Tokens

/// Finds the token that has an access key's secret.
struct SecretKeyFinder: Sendable {
    let tokens: Tokens

    /// The one token that the URI means.
    ///
    /// - Throws: Where it means none or several, or the module that may show it is down.
    func token(of secretKey: PKCS11URI) async throws(Problem) -> FoundToken {
        try Self.token(of: secretKey, in: await tokens.survey())
    }

    /// The tokens that the URI matches, each with the reasons why it is not asked.
    ///
    /// - Throws: Where it matches none.
    static func tokens(
        of secretKey: PKCS11URI, in survey: Survey
    ) throws(Problem) -> [(token: FoundToken, reasons: [String])] {
        let matching = survey.tokens.filter { secretKey.matches($0.located) }
        if matching.isEmpty { _ = try token(of: secretKey, in: survey) }
        return matching.map { token in
            var reasons: [String] = []
            if matching.count > 1 { reasons.append("secret-key matches \(matching.count) tokens; let it name one") }
            if let failure = token.snapshot.failure { reasons.append(failure) }
            if token.isBlocked { reasons.append("its PIN is blocked") }
            return (token, reasons)
        }
    }

    static func token(of secretKey: PKCS11URI, in survey: Survey) throws(Problem) -> FoundToken {
        let matching = survey.tokens.filter { secretKey.matches($0.located) }
        guard let token = matching.first else {
            // It may be behind a module that is down just now.
            if let outage = survey.modules.compactMap(\.outage).first { throw outage }
            let failures = survey.modules.compactMap { module in module.failure.map { "\(module.name): \($0)" } }
            let reasons = failures.isEmpty ? "" : " (\(failures.joined(separator: "; ")))"
            throw Problem(
                .noToken, "no token matches secret-key \(secretKey.tokenPart, .uri)\(reasons, .reason)",
                hint: "insert the token, or correct secret-key; 'tokenward list' shows what is there")
        }
        guard matching.count == 1 else {
            throw Problem(
                .ambiguousIdentity,
                "\("\(matching.count) tokens match secret-key \(secretKey.tokenPart)", .reason)",
                hint: "let secret-key name one of: " + matching.map { "'\($0.uri)'" }.joined(separator: " "))
        }
        return token.meant(by: secretKey)
    }
}
