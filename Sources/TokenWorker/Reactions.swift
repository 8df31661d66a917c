import PKCS11
import TokenService

/// What follows from a code that a call has answered: the worker's half of the fault catalogue's table. The agent's half
/// is the kind of the failure that it is told.
extension PKCS11Error {
    /// Whether what failed may be done once more, in a new session and with objects found anew. Codes that nobody knows
    /// are among these: vendors invent them for what has gone stale.
    var isWorthRepeating: Bool {
        guard case .failed(let function, let code) = self else { return false }
        return function != .initialize && !code.saysTokenIsGone && !code.saysModuleIsBroken
            && !code.saysPersonDeclined && ![.userNotLoggedIn, .sessionCount, .actionProhibited].contains(code)
    }

    /// Whether one object is at fault, and the others can be read.
    var concernsOneObject: Bool {
        guard case .failed(.getAttributeValue, let code) = self else { return false }
        return !code.saysTokenIsGone && !code.saysModuleIsBroken && !code.saysOutOfMemory && !code.saysStale
    }

    /// Whether the library is to be replaced, as far as one call can tell.
    var saysModuleIsBroken: Bool {
        switch self {
        // There is nothing to leave out, and nothing to do again but in a new process.
        case .failed(.getSlotList, _), .nonsense: true
        default: returnValue.map { $0.saysModuleIsBroken || $0.saysOutOfMemory } ?? false
        }
    }

    /// A key that is not seen, or not to be used: the session must be asked whether it is logged in.
    var leavesLoginInDoubt: Bool {
        if case .notFound = self { return true }
        return returnValue == .userNotLoggedIn
    }
}

extension WorkerFailure {
    /// - Parameters:
    ///   - isLoggedIn: What C_GetSessionInfo said, where it was asked. CKR_USER_NOT_LOGGED_IN in a session that is
    ///     logged in means a touch that did not come, or a key that wants its PIN each time: never a lost login.
    ///   - isRepeated: It has failed in a new session as well.
    init(_ error: PKCS11Error, isLoggedIn: Bool? = nil, isRepeated: Bool = false) {
        let kind: Kind =
            switch error {
            case .notLoaded, .notRead: .notLoaded
            case .noMechanism: .mechanism
            case .notAuthorized: .notLoggedIn
            case .overLimit, .nonsense: .nonsense
            case .notFound(.token), .notFound(.onlyToken): .tokenGone
            case .notFound(.privateKey): isLoggedIn == false ? .notLoggedIn : .keyNotFound
            case .failed(.getSlotList, _): .broken
            case .failed(.sign, let code) where code.refusesMechanism: .mechanism
            case .failed(_, .userNotLoggedIn): isLoggedIn == true ? .gesture : .notLoggedIn
            case .failed(_, .sessionCount): .busy
            case .failed(_, .actionProhibited): .forbidden
            case .failed(_, let code) where code.saysPersonDeclined: .gesture
            case .failed(_, let code) where code.saysTokenIsGone: .tokenGone
            case .failed(_, let code) where code.saysModuleIsBroken || code.saysOutOfMemory: .broken
            case .failed(_, let code): isRepeated && !code.saysHandleIsStale ? .broken : .function
            }
        self.init(kind, returnValue: error.returnValue.map { UInt64($0.rawValue) }, text: "\(error)")
    }
}
