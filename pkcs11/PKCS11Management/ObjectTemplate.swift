import CP11Kit
package import PKCS11

/// The attributes that a new object is to have (PKCS#11 2.40 §4), without secrets.
package struct ObjectTemplate: Hashable, Sendable {
    private var values: [(attribute: Attribute, bytes: [UInt8])] = []

    package init() {}

    package mutating func set(_ attribute: Attribute, _ bytes: [UInt8]) {
        values.removeAll { $0.attribute == attribute }
        values.append((attribute, bytes))
    }

    /// A CK_BBOOL.
    package mutating func set(_ attribute: Attribute, _ flag: Bool) { set(attribute, [flag ? 1 : 0]) }

    /// A CK_ULONG.
    package mutating func set(_ attribute: Attribute, _ number: UInt64) {
        set(attribute, unsafe withUnsafeBytes(of: CK_ULONG(number)) { unsafe Array($0) })
    }

    /// CKA_CLASS
    package mutating func set(_ objectClass: Object.Class) { set(.objectClass, UInt64(objectClass.rawValue)) }

    package mutating func leaveOut(_ attributes: some Sequence<Attribute>) {
        for attribute in attributes { values.removeAll { $0.attribute == attribute } }
    }

    /// Lends the template as modules take it.
    borrowing func withAttributes<Result>(_ body: (inout [CK_ATTRIBUTE]) -> Result) -> Result {
        var storage = values.flatMap(\.bytes)
        return unsafe storage.withUnsafeMutableBytes { room in
            var template: [CK_ATTRIBUTE] = unsafe []
            var offset = 0
            for (attribute, bytes) in values {
                unsafe template.append(
                    CK_ATTRIBUTE(
                        type: attribute.rawValue, pValue: room.baseAddress?.advanced(by: offset),
                        ulValueLen: CK_ULONG(bytes.count)))
                offset += bytes.count
            }
            return unsafe body(&template)
        }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.values.elementsEqual(right.values) { $0.attribute == $1.attribute && $0.bytes == $1.bytes }
    }

    package func hash(into hasher: inout Hasher) {
        for (attribute, bytes) in values {
            hasher.combine(attribute)
            hasher.combine(bytes)
        }
    }
}
