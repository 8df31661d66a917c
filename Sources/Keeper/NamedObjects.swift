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

    /// - Returns: What is on the token.
    /// - Throws: `.exists` where an object has this id, or this label.
    @discardableResult
    func checkAreFree(id: [UInt8], label: [UInt8]) throws(KeeperFailure) -> Set<Object> {
        var others: Set<Object> = []
        for objectClass in [Object.Class.privateKey, .publicKey, .certificate] {
            for object in try named(objectClass) {
                others.insert(object.object)
                guard object.id == id || object.label == label else { continue }
                let which = object.id == id ? "the id \(Hexadecimal.encode(id))" : "this label"
                throw KeeperFailure(.exists, "\(objectClass.words) with \(which) is on it already")
            }
        }
        return others
    }

    /// Deletes what a failed attempt has left: nothing with this id and nothing with this label was there before. A token may
    /// have given what it made another label, as ykcs11 does, or another id. What has no id is known by its label.
    ///
    /// - Parameters:
    ///   - made: What the token says that it has made, and had not before. Where it shows that, nothing else is deleted.
    ///   - part: What the attempt could have left, in words.
    /// - Returns: What is there all the same, or may be.
    func removeRemains(
        of classes: [Object.Class], id: [UInt8], label: [UInt8], made: Set<Object> = [], _ part: String
    ) -> String? {
        let hasName = { (object: NamedObject) in object.id == id && (!id.isEmpty || object.label == label) }
        do throws(KeeperFailure) {
            for objectClass in classes {
                let shown = try named(objectClass)
                let own = shown.filter { made.contains($0.object) }
                for stray in own.isEmpty ? shown.filter(hasName) : own {
                    try? with { (session) throws(PKCS11Error) in try session.destroy(stray.object) }
                }
            }
            for objectClass in classes {
                let left = try named(objectClass).first {
                    made.contains($0.object) || hasName($0) || !id.isEmpty && $0.label == label
                }
                if let left {
                    return "\(objectClass.words) with the id \(Hexadecimal.encode(left.id)) is left on it"
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
