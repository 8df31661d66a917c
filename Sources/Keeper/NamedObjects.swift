import Encodings
import KeeperService
import PKCS11
import PKCS11Management
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

    /// - Throws: `.exists` where an object has this id, or this label.
    func checkAreFree(id: [UInt8], label: [UInt8]) throws(KeeperFailure) {
        for objectClass in [Object.Class.privateKey, .publicKey, .certificate] {
            for object in try named(objectClass) {
                guard object.id == id || object.label == label else { continue }
                let which = object.id == id ? "the id \(Hexadecimal.encode(id))" : "this label"
                throw KeeperFailure(.exists, "\(objectClass.words) with \(which) is on it already")
            }
        }
    }

    /// Deletes what a failed attempt has left: nothing with this id and nothing with this label was there before.
    ///
    /// - Parameter part: What the attempt could have left, in words.
    /// - Returns: What is there all the same, or may be.
    func removeRemains(
        of classes: [Object.Class], id: [UInt8], label: [UInt8], _ part: String
    ) -> String? {
        do throws(KeeperFailure) {
            for objectClass in classes {
                for stray in try named(objectClass) where stray.id == id && stray.label == label {
                    try? with { (session) throws(PKCS11Error) in try session.destroy(stray.object) }
                }
                if try named(objectClass).contains(where: { $0.id == id && $0.label == label }) {
                    return "\(objectClass.words) with the id \(Hexadecimal.encode(id)) is left on it"
                }
            }
            return nil
        } catch {
            return "it could not be looked at whether \(part) is left on it (\(error.text))"
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
