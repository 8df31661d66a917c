package import TokenService

/// A management request that failed, and what is known of the reason. The token is as it was, but for what `remains`.
package struct KeeperFailure: Error, Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// An object with this id or label is there already.
        case exists = 1
        /// No object is what the request means.
        case notFound = 2
        /// Several objects are what the request means.
        case ambiguous = 3
        /// The token takes no changes.
        case readOnly = 4
        /// The token has no room.
        case full = 5
        /// The token, or its module, does not do this, or not for this type of key.
        case unsupported = 6
        /// The process is not logged in to the token.
        case notLoggedIn = 7
        /// Another user of the token must do this: its security officer.
        case otherUser = 8
        /// The token has left.
        case tokenGone = 9
        /// The token says that it has done it, and has done something else.
        case disobeyed = 10
        /// A PKCS#11 function answered an error that is none of these.
        case function = 11
        /// The agent and the keeper do not understand each other.
        case `protocol` = 12
        /// The key file is none that can be brought to a token.
        case keyFile = 13
        /// The key file's password is missing, or another one.
        case keyFilePassword = 14
        /// The token, or its module, takes no private keys from outside.
        case noImport = 15
        /// The token, or its module, takes no certificates.
        case noCertificates = 16
    }

    package var kind: Kind
    /// One line: what the token, or the module, says.
    package var text: String
    /// What the failed attempt has left on the token; nil where nothing is known to be left.
    package var remains: String?

    package init(_ kind: Kind, _ text: String, remains: String? = nil) {
        self.kind = kind
        self.text = text
        self.remains = remains
    }
}

extension KeeperFailure.Kind: WireValue {}

extension KeeperFailure: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(kind, text, remains) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(try reader.value(), try reader.value(), remains: try reader.value())
    }
}
