import KeeperService
import PKCS11
import TokenWorker

/// An object with what it is called by.
struct NamedObject {
    let object: Object
    /// CKA_ID; empty where it has none.
    let id: [UInt8]
    /// CKA_LABEL; empty where it has none.
    let label: [UInt8]
}

extension OpenToken {
    /// Every object of a class. Searches by CKA_ID or CKA_LABEL are the module's word; these are compared here.
    func named(_ objectClass: Object.Class) throws(KeeperFailure) -> [NamedObject] {
        try KeeperFailure.catching { () throws(PKCS11Error) in
            var found: [NamedObject] = []
            for object in try objects(objectClass) {
                let values = try attributes([.id, .label], of: object)
                found.append(NamedObject(object: object, id: values[.id] ?? [], label: values[.label] ?? []))
            }
            return found
        }
    }
}

extension Object.Class {
    var words: String {
        switch self {
        case .privateKey: "a private key"
        case .publicKey: "a public key"
        case .certificate: "a certificate"
        case .secretKey: "a secret key"
        }
    }
}
