/// Refuses the keys of a JSON object that are not meant to be there: a misspelt `enabled` would make a test lie.
enum KnownKeys {
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    static func check(_ decoder: any Decoder, _ known: [String]) throws {
        let object = try decoder.container(keyedBy: AnyKey.self)
        for key in object.allKeys where !known.contains(key.stringValue) {
            throw UnknownKey(name: key.stringValue, known: known)
        }
    }

    struct UnknownKey: Error {
        let name: String
        let known: [String]
    }
}

/// A value whose keys have been checked.
struct Checked<Value: Decodable & NamesItsKeys>: Decodable {
    let value: Value

    init(from decoder: any Decoder) throws {
        try KnownKeys.check(decoder, Value.keys)
        value = try Value(from: decoder)
    }
}

protocol NamesItsKeys {
    static var keys: [String] { get }
}
