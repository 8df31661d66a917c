import KeeperService
import PKCS11
import PKCS11Management

extension KeeperFailure {
    /// Does this, and says in a keeper's words what a call has answered.
    static func catching<Result>(_ body: () throws(PKCS11Error) -> Result) throws(KeeperFailure) -> Result {
        do throws(PKCS11Error) {
            return try body()
        } catch {
            throw KeeperFailure(error)
        }
    }

    init(_ error: PKCS11Error) {
        self.init(Self.kind(of: error), "\(error)")
    }

    private static func kind(of error: PKCS11Error) -> Kind {
        if case .notFound = error { return .tokenGone }
        guard let code = error.returnValue else { return .function }
        switch code.changeMeaning {
        case .readOnly: return .readOnly
        case .full: return .full
        case .unsupported, .template: return .unsupported
        case .otherUser: return .otherUser
        case .other: break
        }
        return switch code.meaning {
        case .missingLogin: .notLoggedIn
        case .tokenGone: .tokenGone
        default: .function
        }
    }
}
