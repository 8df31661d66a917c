extension ModuleFailure {
    /// The same where there was no worker yet to send anything to: that has cost no token a try.
    var unsent: ModuleFailure {
        guard case .lost(var loss) = self else { return self }
        loss.wasSent = false
        return .lost(loss)
    }
}
