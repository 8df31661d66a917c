import TokenService

extension WorkerHost {
    /// What a request takes: looks and logins come one after another, and logins and signatures may ask a person.
    enum CallKind: Hashable {
        case look
        case login
        case signature
        /// Its key wants a PIN each time, and gets one that the token has not taken before.
        case signatureWithNewPIN
        case other

        init(_ request: Request) {
            self =
                switch request {
                case .sign: .signatureWithNewPIN
                case .logIn: .login
                case .list: .look
                case .load, .logOut, .presence, .renewSessions, .readers, .registeredModules: .other
                }
        }

        /// What no worker has seen whole may go to another, and so may a look, and what another request's deadline has
        /// cut short. A PIN that nobody has judged is never sent twice.
        func mayBeSentAgain(after loss: WorkerLoss) -> Bool {
            guard loss.wasSent else { return true }
            return switch (self, loss.cause) {
            case (.login, _), (.signatureWithNewPIN, _): false
            case (_, .othersDeadline), (.look, .ended): true
            default: false
            }
        }
    }
}
