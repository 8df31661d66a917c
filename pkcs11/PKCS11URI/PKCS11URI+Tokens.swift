/// URIs that mean tokens: of PIN rules, locks and unlocks.
extension PKCS11URI {
    /// Why this URI cannot stand where tokens are meant, because no token can be held against all of its attributes; nil
    /// where it can. It follows "the URI".
    package var faultAsTokens: String? {
        guard isTokenOnly else { return "names an object, and a PIN belongs to a token; leave out object, id and type" }
        return pinSource == nil ? nil : "has a pin-source, which is not used here; leave it out"
    }
}

extension [LocatedToken] {
    /// A URI for each token: its description, and where another module shows an equal one its module's path; where that
    /// module is of the same library, the module's name as well, if it has one.
    package var uris: [PKCS11URI] {
        let modules = Dictionary(grouping: self) { PKCS11URI(token: $0.description) }
            .mapValues { Set($0.map { ModuleNaming($0.module) }) }
        return map { token in
            let uri = PKCS11URI(token: token.description)
            let shown = modules[uri, default: []]
            guard shown.count > 1, let module = token.module else { return uri }
            return uri.naming(module, withName: shown.count { $0.path == module.path } > 1)
        }
    }
}

/// What URIs can tell modules apart by.
private struct ModuleNaming: Hashable {
    let name: String?
    let path: String?

    init(_ module: ModuleDescription?) {
        name = module?.name
        path = module?.path
    }
}
