/// The answer to `POST /v1/keys/import`: the key as the token tells of it, and what was written beside it.
package struct KeyImportListing: Message {
    package var key = KeyListing()
    /// The subject of the certificate that was written with the key; absent where the file has none.
    package var subject: String?
    /// The subjects of the intermediate certificates, which are on the token now.
    package var intermediates: [String] = []
    /// How many certificates of the file were not written: roots, and what belongs to others.
    package var leftOut = 0

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("key", &key)
        coder.member("subject", &subject)
        coder.member("intermediates", &intermediates)
        coder.member("left_out", &leftOut)
    }
}
