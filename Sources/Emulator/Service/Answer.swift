import FoundationEssentials

/// An answer, and how it is to travel.
package struct Answer: Sendable {
    /// All but the first are faults.
    package enum Delivery: Sendable, Equatable {
        case whole
        /// Half of the body that Content-Length promises, then the end of the connection.
        case truncated
        /// One byte a second.
        case drip
        /// This many bytes of filler in place of the body.
        case endless(byteCount: Int)
        /// The connection ends before any byte.
        case close
        /// Nothing, ever.
        case hang
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var delivery = Delivery.whole
    package var delayMilliseconds: Int64 = 0
}

extension Answer {
    static func json(_ value: some Encodable, status: Int = 200) -> Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            // Only NaN and infinity cannot be encoded, and no type here has a floating-point member.
            return Answer(status: 500, headers: [], body: [])
        }
        return Answer(status: status, headers: [("Content-Type", "application/json")], body: Array(data))
    }

    static func empty(_ status: Int) -> Answer { Answer(status: status, headers: [], body: []) }

    static func text(_ text: String, type: String, status: Int) -> Answer {
        Answer(status: status, headers: [("Content-Type", type)], body: Array(text.utf8))
    }

    /// In the form of the service's REST errors: the type in a header, the words in the body.
    static func refusal(_ refusal: Refusal) -> Answer {
        var answer = Answer.json(["message": refusal.message], status: refusal.status)
        answer.headers.append(("x-amzn-ErrorType", refusal.code))
        if refusal.isInvention { answer.headers.append(("x-emulator-invention", "true")) }
        return answer
    }
}
