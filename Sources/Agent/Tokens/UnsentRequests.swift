/// What was never sent has cost no token a try, whatever the worker has died of.
extension WorkerLoss {
    /// Whether another worker may have the request. A PIN is never sent twice.
    func isWorthRepeating(isLogin: Bool) -> Bool {
        isLogin ? !wasSent && cause != .stopped : cause == .othersDeadline
    }
}

extension ModuleFailure {
    /// The same where there was no worker yet to send anything to.
    var unsent: ModuleFailure {
        guard case .lost(var loss) = self else { return self }
        loss.wasSent = false
        return .lost(loss)
    }
}
