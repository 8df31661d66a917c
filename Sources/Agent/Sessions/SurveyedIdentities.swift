import Identities
import PKCS11URI
import TokenService

/// What a survey has found, read and paired once for all the profiles that choose from it.
struct SurveyedIdentities: Sendable {
    let tokens: [FoundToken]
    /// The index of a token is its module number here.
    let all: Inventory

    init(_ survey: Survey) {
        tokens = survey.tokens
        all = Inventory(
            survey.tokens.enumerated().map { index, token in PresentToken(module: index, snapshot: token.snapshot) })
    }

    /// What the module attributes of the URIs leave, where there are any.
    func inventory(allowedBy uris: [PKCS11URI]) -> Inventory {
        guard uris.contains(where: \.namesModule) else { return all }
        return all.limited(
            to: Set(tokens.indices.filter { index in uris.contains { $0.allows(module: tokens[index]) } }))
    }
}

extension IdentitySelector {
    /// The URIs that say which tokens are meant; none: all.
    var tokenURIs: [PKCS11URI] {
        switch certificate {
        case .any: []
        case .token(let uri): [uri] + spares
        case .file: key.map { [$0] } ?? []
        }
    }
}

extension PKCS11URI {
    /// Whether the attributes that name a module or a library, where there are any, mean this token's.
    func allows(module token: FoundToken) -> Bool {
        guard namesModule else { return true }
        let library = token.library
        return matchesModule(name: token.moduleName, path: token.module)
            && matchesLibrary(
                manufacturer: library?.manufacturer, description: library?.description,
                version: library.flatMap { LibraryVersion($0.version) })
    }
}

extension LibraryVersion {
    /// Reads `3.0`.
    fileprivate init?(_ text: String) {
        let parts = text.split(separator: ".").map { UInt8($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.init(major: major, minor: minor)
    }
}
