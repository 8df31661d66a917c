import Encodings

extension PKCS11URI: CustomStringConvertible {
    /// The one way to write this URI: attributes in the order of the RFC's grammar, `id` escaped throughout as p11-kit
    /// does, other text where a shell could act on it. It is printable ASCII, whatever the values are.
    package var description: String {
        let path = printed(.path)
        let query = printed(.query)
        return String(decoding: "pkcs11:".utf8 + path + (query.isEmpty ? [] : "?".utf8 + query), as: UTF8.self)
    }

    private func printed(_ component: URIComponent) -> [UInt8] {
        var output: [UInt8] = []
        for attribute in URIAttribute.allCases where attribute.component == component {
            guard let value = printedValue(of: attribute) else { continue }
            if !output.isEmpty { output.append(component.separator) }
            output += "\(attribute.rawValue)=".utf8 + value
        }
        return output
    }

    private func printedValue(of attribute: URIAttribute) -> [UInt8]? {
        if let path = attribute.text {
            return self[keyPath: path].map { value in
                PercentEncoding.encode(value) { attribute != .id && attribute.component.printsPlainly($0) }
            }
        }
        return switch attribute {
        case .slotID: slotID.map { Array("\($0)".utf8) }
        case .libraryVersion: libraryVersion.map { Array($0.description.utf8) }
        default: type.map { Array($0.rawValue.utf8) }
        }
    }
}
