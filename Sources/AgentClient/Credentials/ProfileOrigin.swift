/// Where programs of AWS find the credentials of a profile of AWS' own files.
package enum ProfileOrigin: Hashable, Sendable {
    /// In what the program of `credential_process` prints.
    case program
    /// Where this setting says, which they follow before `credential_process`.
    case setting(String)
    /// Nowhere in the files, so that they go on to other places, such as the machine's own role.
    case elsewhere

    /// In the order of botocore's `ProfileProviderBuilder`, and of Go 2's `resolveCredsFromProfile` for the keys in both files.
    private static let before = [
        "role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "aws_access_key_id", "login_session",
    ]

    /// - Parameter settings: The names of what the profile sets in both files together.
    package init(_ settings: Set<String>) {
        if let setting = Self.before.first(where: settings.contains) {
            self = .setting(setting)
        } else {
            self = settings.contains("credential_process") ? .program : .elsewhere
        }
    }
}
