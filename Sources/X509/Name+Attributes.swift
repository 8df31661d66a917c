import COpenSSL

extension Name {
    /// One attribute of a name.
    package struct Attribute: Hashable, Sendable {
        /// OpenSSL's short name, such as `CN`; the object identifier in dotted decimal where it has none.
        package let type: String
        /// Nil for a value that is no text.
        package let value: String?
    }

    /// All attributes, in the order in which they are encoded.
    package var attributes: [Attribute] {
        withCleanErrorQueue {
            let read = unsafe der.withUnsafeBufferPointer { buffer in
                var cursor = buffer.baseAddress
                return unsafe d2i_X509_NAME(nil, &cursor, buffer.count)
            }
            guard let name = unsafe Owned(read, freedBy: { unsafe X509_NAME_free($0) }) else { return [] }
            return unsafe name.use { name in
                unsafe (0..<max(0, X509_NAME_entry_count(name))).map { index in
                    unsafe Attribute(X509_NAME_get_entry(name, index))
                }
            }
        }
    }
}

extension Name.Attribute {
    fileprivate init(_ entry: OpaquePointer?) {
        let object = unsafe X509_NAME_ENTRY_get_object(entry)
        let identifier = unsafe OBJ_obj2nid(object)
        let known = identifier == NID_undef ? nil : unsafe OBJ_nid2sn(identifier).map { unsafe String(cString: $0) }
        type = unsafe known ?? dottedText(object)
        var text: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry))
        defer { unsafe tokenward_OPENSSL_free(text) }
        value =
            count < 0
            ? nil
            : unsafe String(validating: UnsafeBufferPointer(start: text, count: Int(count)), as: UTF8.self)
    }
}
