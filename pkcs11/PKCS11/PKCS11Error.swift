package import CP11Kit

/// A PKCS#11 call that failed, or a token that answered what cannot be.
package enum PKCS11Error: Error, Hashable, Sendable {
    /// A function answered something other than CKR_OK.
    case failed(Function, ReturnValue)
    /// The library could not be loaded; the text is p11-kit's, with the dynamic linker's reason in it.
    case notLoaded(reason: String)
    /// p11-kit's configuration could not be read; the text is p11-kit's.
    case notRead(reason: String)
    /// A length or a count above what any honest token has.
    case overLimit(what: String, value: UInt, limit: Int)
    /// An answer that contradicts itself.
    case nonsense(what: String)
    /// No object with these attributes.
    case notFound(Missing)
    /// No mechanism that the service takes works with this key; the last refusal.
    case noMechanism(ReturnValue)
    /// The login that the key asks for was not made, and nothing was signed; who refused it knows why.
    case notAuthorized
    /// What is more urgent came while objects were read.
    case interrupted

    package enum Missing: String, Hashable, Sendable {
        case token = "the token in its slot"
        /// Several tokens say the same of themselves, so that none can be meant.
        case onlyToken = "the token among several that look like it"
        case privateKey = "the private key"
        case secretKey = "the secret key"
        /// Several secret keys have the same name, so that none can be meant.
        case onlySecretKey = "the secret key among several of that name"
    }

    package var returnValue: ReturnValue? {
        switch self {
        case .failed(_, let returnValue), .noMechanism(let returnValue): returnValue
        case .notLoaded, .notRead, .overLimit, .nonsense, .notFound, .notAuthorized, .interrupted: nil
        }
    }
}

extension PKCS11Error: CustomStringConvertible {
    package var description: String {
        switch self {
        case .failed(let function, let returnValue): "\(function.rawValue) answered \(returnValue)"
        case .notLoaded(let reason): "cannot be loaded: \(reason)"
        case .notRead(let reason): "p11-kit's configuration cannot be read: \(reason)"
        case .overLimit(let what, let value, let limit): "\(what) of \(value) is over the limit of \(limit)"
        case .nonsense(let what): "\(what)"
        case .notFound(let missing): "\(missing.rawValue) not found"
        case .noMechanism(let returnValue): "no mechanism for this key: the last one answered \(returnValue)"
        case .notAuthorized: "the key's own login was not made"
        case .interrupted: "a logout came first"
        }
    }
}

/// The one place where a return code becomes an error.
package func check(_ function: Function, _ returnValue: CK_RV) throws(PKCS11Error) {
    guard returnValue == CKR_OK else {
        throw .failed(function, ReturnValue(rawValue: UInt(returnValue)))
    }
}
