import Agent
import AgentAPI
import TokenService

extension Target {
    /// Heads of requests: the same whether they come at once or in pieces; one that is taken says one thing only, and says it
    /// again when it is written plainly.
    static let heads = Target(name: "heads") { bytes in
        let (choice, text) = bytes.choice
        var whole = RequestHeadParser(limits: ServerLimits())
        let outcome = Result { () throws(Problem) in try whole.read(text.span) }
        var pieces = RequestHeadParser(limits: ServerLimits())
        let isEqual =
            switch (outcome, read(text, in: Int(choice) % 16 + 1, &pieces)) {
            case (.success(let one), .success(let other)): one?.head == other?.head && one?.length == other?.length
            case (.failure(let one), .failure(let other)): one == other
            default: false
            }
        require(isEqual, "in pieces it is another head")
        switch outcome {
        case .failure(let problem): require(problem.detail.isOneHarmlessLine, problem.detail)
        case .success(let found?): check(found.head, text.prefix(found.length))
        case .success(nil): return
        }
    }

    private static func read(
        _ bytes: [UInt8], in step: Int, _ parser: inout RequestHeadParser
    ) -> Result<(head: RequestHead, length: Int)?, Problem> {
        Result { () throws(Problem) in
            for end in stride(from: step, to: bytes.count, by: step) {
                if let found = try parser.read(bytes.span.extracting(..<end)) { return found }
            }
            return try parser.read(bytes.span)
        }
    }

    private static func check(_ head: RequestHead, _ bytes: ArraySlice<UInt8>) {
        let text = String(decoding: bytes, as: UTF8.self)
        require(text.hasSuffix("\r\n\r\n") && text.split(separator: "\r\n\r\n").count == 1, text)
        require(!text.lowercased().contains("\r\ntransfer-encoding:"), text)
        require(head.path.hasPrefix("/") && !head.path.contains(" "), head.path)
        var lines = [
            "\(head.method) \(head.path) HTTP/1.1", "Host: \(head.host)", "Content-Length: \(head.contentLength)",
        ]
        if !head.isKeepAlive { lines.append("Connection: close") }
        if head.isFromBrowser { lines.append("Origin: null") }
        if head.isPassedOn { lines.append("Via: 1.1 x") }
        let start = Array(lines.joined(separator: "\r\n").utf8)
        let person = head.person.isEmpty ? [] : Array("\r\nTokenward-Person: ".utf8) + head.person
        let token = head.authorization.map { Array("\r\nAuthorization: ".utf8) + $0.content } ?? []
        let plain = start + person + token + Array("\r\n\r\n".utf8)
        var again = RequestHeadParser(limits: ServerLimits())
        require((try? again.read(plain.span))??.head == head, text)
    }

    /// Bodies of `unlock`, `lock` and certificate requests: what is written as JSON again is the same, and a PIN is text without control bytes.
    static let bodies = Target(name: "bodies") { bytes in
        if let lock = try? LockBody(bytes.span), let uri = lock.uri {
            let again = Array(#"{ "uri" : \#(json(Array(uri.utf8))) }"#.utf8)
            require((try? LockBody(again.span))?.uri == uri, uri)
        }
        if let request = try? CertificateRequestBody(bytes.span) {
            let names = request.names.map { json(Array($0.utf8)) }.joined(separator: ",")
            let (key, subject) = (json(Array(request.key.utf8)), json(Array(request.subject.utf8)))
            let again = Array(#"{"names":[\#(names)],"subject":\#(subject),"key":\#(key)}"#.utf8)
            let other = try? CertificateRequestBody(again.span)
            require(other?.key == request.key && other?.subject == request.subject, request.key)
            require(other?.names == request.names, names)
        }
        do throws(Problem) {
            let unlock = try UnlockBody(bytes.span)
            guard let held = unlock.pin else { return }
            let text = held.pin.withBytes { bytes in bytes.indices.map { bytes[$0] } }
            require(text.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && text.text != nil, "a PIN that is no text")
            let origin = unlock.isFromLogin ? #","origin":"login""# : ""
            let again = Array(#"{"pin":\#(json(text)),"uri":\#(json(Array(unlock.uri.utf8)))\#(origin)}"#.utf8)
            let other = try UnlockBody(again.span)
            require(other.uri == unlock.uri && other.isFromLogin == unlock.isFromLogin, unlock.uri)
            let same = other.pin?.pin.withBytes { bytes in bytes.indices.map { bytes[$0] } } == text
            require(same, "another PIN")
        } catch {
            require(error.detail.isOneHarmlessLine, error.detail)
        }
    }

    /// A JSON string of these bytes, each ASCII character as an escape.
    private static func json(_ text: [UInt8]) -> String {
        let scalars = String(decoding: text, as: UTF8.self).unicodeScalars.map { scalar in
            scalar.isASCII ? "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16) : String(scalar)
        }
        return "\"\(scalars.joined())\""
    }
}
