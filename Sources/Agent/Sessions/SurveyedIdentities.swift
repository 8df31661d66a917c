import Identities
import PKCS11URI
import TokenService
import Tokens

/// The certificates and keys of a survey, read and paired once for all the profiles that choose from it.
struct SurveyedIdentities: Sendable {
    /// The index of a token in the survey is its module number here.
    let all: Inventory

    init(_ survey: Survey, where isWanted: (FoundToken) -> Bool = { _ in true }) {
        all = Inventory(
            survey.tokens.enumerated().filter { isWanted($0.element) }.map { index, token in
                PresentToken(module: index, location: token.located, snapshot: token.snapshot)
            })
    }
}

extension IdentitySelector {
    /// The URIs that say which tokens are meant; none: all.
    var tokenURIs: [PKCS11URI] {
        switch certificate {
        case .any: key.map { [$0] } ?? []
        case .token(let uri): [uri] + spares
        case .file: key.map { [$0] } ?? []
        }
    }
}
