import AgentAPI
import Identities
import PKCS11URI

/// Which profiles sign with a spare, and why.
struct SpareUse: Sendable {
    /// The identity a profile signed with before any spare: the certificate's URI, or the key's.
    private var usual: [ProfileName: PKCS11URI] = [:]
    private var inUse: [ProfileName: String] = [:]

    /// One line each.
    var notices: [String] { inUse.sorted { $0.key < $1.key }.map(\.value) }

    /// Takes note of the identity that has just signed.
    ///
    /// - Parameter failed: Why those that come before it failed, if they are present.
    mutating func note(
        _ found: IdentityFinder.Found, of profile: ProfileName, _ selector: IdentitySelector, failed: Problem?
    ) {
        let uri = found.identity.certificateURI ?? found.identity.key.uri
        let declared = selector.tokenURIs.first
        let isDeclaredSpare =
            !selector.spares.isEmpty
            && declared.map { !$0.matches(found.token.located) } ?? false
        let before = isDeclaredSpare ? declared : usual[profile].flatMap { $0 == uri ? nil : $0 }
        if let failed {
            inUse[profile] = "profile \(profile) signs with its spare \(uri): \(failed.detail)"
        } else if let before {
            inUse[profile] = "profile \(profile) signs with its spare \(uri): \(before) is not to be had"
        } else {
            inUse[profile] = nil
            usual[profile] = uri
        }
    }

    /// A reload may have given a profile other certificates.
    mutating func forget(allBut profiles: Set<ProfileName>) {
        usual = [:]
        inUse = inUse.filter { profiles.contains($0.key) }
    }
}

extension Problem {
    /// Whether another token may do better. A token that a person has locked is not gone around.
    var isOfToken: Bool {
        switch code {
        case .tokenGone, .tokenBusy, .moduleFailed, .moduleTimeout, .pinNeeded, .pinIncorrect, .pinBlocked, .noIdentity:
            true
        default: false
        }
    }
}
