package import PKCS11URI
package import SignatureSchemes

/// What the agent asks of a worker. Nothing here can make, change, export or delete a key, and nothing names a file to
/// load but the first message of all. What a keeper is asked beside this is bytes here, which no worker understands.
package enum Request: Hashable, Sendable {
    /// Load the module and initialise it. Once, before everything else.
    case load(ModuleLoad)
    /// Tokens with their certificates and keys.
    case list(ListScope)
    /// Log in to a token. A PIN that was typed travels beside the message, as its frame's secret.
    case logIn(LoginRequest)
    /// Log out of a token, or of all of them.
    case logOut(TokenReference?)
    case sign(SignRequest)
    /// The answer is a frame's secret.
    case dateKey(DateKeyRequest)
    /// The tokens that are there, without a look at what they hold.
    case presence
    /// Open every session anew: the machine has slept, or cards have come and gone.
    case renewSessions
    /// The modules that p11-kit has registered. First and last of a worker that loads none.
    case registeredModules
    /// Of the watcher of card readers.
    case readers(ReaderRequest)
    /// Of a keeper: a `KeeperRequest`.
    case management([UInt8])
}

package enum ReaderRequest: Hashable, Sendable {
    /// A report of another version than this one, or the same one after a while.
    case after(UInt64)
    /// A report at once.
    case now
    /// Reset the card in the reader of this name (a slot's description: its first 64 bytes): a worker has left it logged in.
    case reset([UInt8])
}

package enum ListScope: Hashable, Sendable {
    /// Every token; of these, which have workers of their own, without a look at their objects.
    case all(sparing: [TokenDescription])
    /// This one, wherever it is; none where it is gone.
    case one(TokenReference)
}

/// A token as the agent last saw it: the slot, which may have changed, and who it is, which must not.
package struct TokenReference: Hashable, Sendable {
    package var slotID: UInt64
    package var token: TokenDescription

    package init(slotID: UInt64, token: TokenDescription) {
        self.slotID = slotID
        self.token = token
    }
}

package struct LoginRequest: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// A person's PIN, in the frame's secret.
        case typed
        /// The first line of this file. The worker reads it, so that the PIN never enters the agent.
        case file(path: String)
        /// A systemd credential at this path, read like a file.
        case credential(path: String)
        /// The reader's own pinpad.
        case protected

        /// The file that a stored PIN is in; nil where a person gives it.
        package var file: String? {
            switch self {
            case .file(let path), .credential(let path): path
            case .typed, .protected: nil
            }
        }

        /// Nobody types the PIN, so that a person must look before it is sent after a failure.
        package var isStored: Bool { file != nil }
    }
    package var token: TokenReference
    package var source: Source
    /// PINs that this token has refused: none of them is sent again.
    package var refused: [FailedPIN]
    /// Words that the module takes for commands may be sent, see `LoginRefusal.reserved`.
    package var mayBeReserved: Bool
    /// The PIN was typed at a login, not for this token: a count that is low stops it, as it stops a stored one.
    package var isFromLogin: Bool

    package init(
        token: TokenReference, source: Source, refused: [FailedPIN], mayBeReserved: Bool = false,
        isFromLogin: Bool = false
    ) {
        self.isFromLogin = isFromLogin
        self.token = token
        self.source = source
        self.refused = refused
        self.mayBeReserved = mayBeReserved
    }
}

/// A PIN that a token has refused, kept so that it can be recognised and not be read back: scrypt of it (RFC 7914).
package struct FailedPIN: Hashable, Sendable {
    package static let saltLength = 16
    package static let hashLength = 32
    /// How many are kept of one token; the oldest goes first. No card has so many tries.
    package static let mostOfToken = 32

    package let salt: [UInt8]
    package let hash: [UInt8]

    /// Nil where salt or hash has another length: scrypt would take no such salt, and no PIN has such a hash.
    package init?(salt: [UInt8], hash: [UInt8]) {
        guard salt.count == Self.saltLength, hash.count == Self.hashLength else { return nil }
        self.salt = salt
        self.hash = hash
    }
}

package struct SignRequest: Hashable, Sendable {
    package var token: TokenReference
    /// CKA_ID of the private key; empty where it has none.
    package var keyID: [UInt8]
    /// CKA_LABEL of the private key, which tells keys with one CKA_ID apart; nil where the key has not been seen.
    package var keyLabel: [UInt8]?
    /// The key's public half, which does so too; nil where the token shows none.
    package var publicHalf: PublicHalf?
    package var scheme: SignatureScheme
    package var message: [UInt8]
    /// The hash of `message`, for mechanisms that take one; for ECDSA cut to the length of the curve's order
    /// (FIPS 186-5 §6.4.1): some tokens refuse a longer one.
    package var digest: [UInt8]
    /// Where the PIN comes from if the key wants it each time (CKA_ALWAYS_AUTHENTICATE); `.typed` means the one that a
    /// person has typed and the token has taken, which the worker holds.
    package var source: LoginRequest.Source
    /// PINs that this token has refused.
    package var refused: [FailedPIN]
    /// As in a `LoginRequest`.
    package var mayBeReserved: Bool

    package init(
        token: TokenReference, keyID: [UInt8], keyLabel: [UInt8]? = nil, publicHalf: PublicHalf?,
        scheme: SignatureScheme, message: [UInt8], digest: [UInt8], source: LoginRequest.Source = .typed,
        refused: [FailedPIN] = [], mayBeReserved: Bool = false
    ) {
        self.source = source
        self.refused = refused
        self.mayBeReserved = mayBeReserved
        self.token = token
        self.keyID = keyID
        self.keyLabel = keyLabel
        self.publicHalf = publicHalf
        self.scheme = scheme
        self.message = message
        self.digest = digest
    }
}
