import Foundation
import JSON

extension Target {
    /// JSON: what is written from a value is read as the same value, and Foundation reads all that we do.
    static let json = Target(name: "json") { bytes in
        do throws(JSONFault) {
            let value = try JSONValue(bytes.span)
            let text = written(value)
            require((try? JSONValue(Array(text.utf8).span)) == value, text)
            try JSONReader.check(bytes.span)
            if case .object(let members) = value {
                require(try JSONMembers(bytes.span).all.count == members.count, text)
            }
            // Numbers that no Double holds are refused there.
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            require(isJSON || bytes.contains { "0123456789".utf8.contains($0) }, text)
        } catch {
            require(0...bytes.count ~= error.offset, "byte \(error.offset)")
            require((try? JSONReader.check(bytes.span)) == nil, "a check that passes what is refused")
        }
    }

    private static func written(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .boolean(let flag): "\(flag)"
        case .number(let text): text
        case .string(let text): quoted(text)
        case .array(let elements): " [ \(elements.map(written).joined(separator: " ,")) ] "
        case .object(let members):
            "{\(members.map { "\(quoted($0.name)) : \(written($0.value))" }.joined(separator: ", "))}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        let plain = writer.finish()
        require(plain.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, text)
        let decoded = JSONString.decode(1..<plain.count - 1, in: plain.span)
        require(decoded.elementsEqual(text.utf8), text)
        return String(decoding: plain, as: UTF8.self)
    }
}
