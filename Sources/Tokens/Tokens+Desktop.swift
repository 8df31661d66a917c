import TokenService

extension Tokens {
    /// Tells a person on the desktop that a token waits for a touch, until the task is cancelled.
    func showOnDesktop(_ token: FoundToken) async {
        guard await prompts.settings.notify, !Task.isCancelled else { return }
        // The title, because desktops take the body for a kind of HTML, and a token's label may be anything.
        await desktop.show("Touch token \(token.snapshot.token.displayName)", "It has something to sign for Tokenward.")
    }
}
