package import CP11Kit

/// An object in a session, by its handle. 0 is a handle like any other: ykcs11 gives it out.
package struct Object: Hashable, Sendable {
    package let handle: CK_OBJECT_HANDLE

    package init(handle: CK_OBJECT_HANDLE) { self.handle = handle }

    /// More objects of a class than any token here is used with; a module that never stops finding ends here.
    package static let limit = 4096

    package enum Class: Sendable {
        case certificate, privateKey, publicKey, secretKey

        package var rawValue: CK_OBJECT_CLASS {
            switch self {
            case .certificate: CK_OBJECT_CLASS(CKO_CERTIFICATE)
            case .privateKey: CK_OBJECT_CLASS(CKO_PRIVATE_KEY)
            case .publicKey: CK_OBJECT_CLASS(CKO_PUBLIC_KEY)
            case .secretKey: CK_OBJECT_CLASS(CKO_SECRET_KEY)
            }
        }
    }
}

extension TokenSession {
    /// The objects of a class, with this CKA_ID where one is given (C_FindObjects). Always ends the search.
    ///
    /// - Throws: `.overLimit` above `Object.limit`.
    package borrowing func objects(_ objectClass: Object.Class, id: [UInt8]? = nil) throws(PKCS11Error) -> [Object] {
        try startSearch(objectClass, id: id)
        let found = Result { () throws(PKCS11Error) in try collect() }
        let ended = unsafe module.functions.pointee.C_FindObjectsFinal(handle)
        let objects = try found.get()
        try check(.findObjectsFinal, ended)
        return objects
    }

    private borrowing func startSearch(_ objectClass: Object.Class, id: [UInt8]?) throws(PKCS11Error) {
        var classValue = objectClass.rawValue
        var id = id
        let idLength = id?.count ?? 0
        let returnValue = unsafe withUnsafeMutableBytes(of: &classValue) { classBytes in
            unsafe withOptionalBytes(&id) { idBytes in
                var template = unsafe [
                    CK_ATTRIBUTE(
                        type: CK_ATTRIBUTE_TYPE(CKA_CLASS), pValue: classBytes.baseAddress,
                        ulValueLen: CK_ULONG(classBytes.count)),
                    CK_ATTRIBUTE(type: CK_ATTRIBUTE_TYPE(CKA_ID), pValue: idBytes, ulValueLen: CK_ULONG(idLength)),
                ]
                return unsafe module.functions.pointee.C_FindObjectsInit(handle, &template, idBytes == nil ? 1 : 2)
            }
        }
        try check(.findObjectsInit, returnValue)
    }

    private borrowing func collect() throws(PKCS11Error) -> [Object] {
        var objects: [Object] = []
        var batch = [CK_OBJECT_HANDLE](repeating: 0, count: 64)
        while true {
            var count: CK_ULONG = 0
            try check(
                .findObjects,
                unsafe module.functions.pointee.C_FindObjects(handle, &batch, CK_ULONG(batch.count), &count))
            guard count > 0 else { return objects }
            guard count <= batch.count else {
                throw .nonsense(what: "C_FindObjects found more objects than it had room for")
            }
            objects += batch.prefix(Int(count)).map(Object.init(handle:))
            guard objects.count <= Object.limit else {
                throw .overLimit(what: "an object count", value: UInt(objects.count), limit: Object.limit)
            }
        }
    }
}

/// Lends the array's storage, or nil where there is no array.
private func withOptionalBytes<Result>(
    _ bytes: inout [UInt8]?, _ body: (UnsafeMutableRawPointer?) -> Result
) -> Result {
    guard var present = bytes else { return body(nil) }
    return unsafe present.withUnsafeMutableBytes { unsafe body($0.baseAddress) }
}
