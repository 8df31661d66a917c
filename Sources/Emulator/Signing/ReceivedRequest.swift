/// A request as it arrived: nothing is decoded or joined, so that exactly the bytes that were sent are verified.
package struct ReceivedRequest: Sendable {
    package struct Header: Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Who is at the other end of a connection that wants a client certificate.
    struct Peer: Sendable {
        /// DER.
        let certificate: [UInt8]
    }

    package let method: String
    /// The request target of the first line, path and query.
    package let target: String
    /// In the order of arrival, duplicates kept.
    package let headers: [Header]
    package let body: [UInt8]
    var peer: Peer?

    package init(method: String, target: String, headers: [Header], body: [UInt8]) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

extension ReceivedRequest {
    var path: String { String(target.prefix { $0 != "?" }) }

    /// Without the question mark; empty when there is none.
    var query: String { String(target.drop { $0 != "?" }.dropFirst()) }

    /// Every value of a header, by its lower-case name.
    func values(of name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name }.map(\.value)
    }

    /// The value of a header that came exactly once.
    func value(of name: String) -> String? {
        let values = values(of: name)
        return values.count == 1 ? values[0] : nil
    }
}

/// The decoded fields of a query or of a form body.
struct FormFields {
    private(set) var all: [String: String] = [:]
    /// A name that stands twice; its value is the first one's.
    private(set) var repeatedName: String?

    init(_ text: String, plusIsSpace: Bool) {
        for parameter in text.split(separator: "&") {
            let halves = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(halves[0], plusIsSpace: plusIsSpace),
                let value = PercentEncoding.decode(halves.count == 2 ? halves[1] : "", plusIsSpace: plusIsSpace)
            else { continue }
            let key = String(decoding: name, as: UTF8.self)
            if all[key] == nil { all[key] = String(decoding: value, as: UTF8.self) } else { repeatedName = key }
        }
    }

    subscript(name: String) -> String? { all[name] }
}
