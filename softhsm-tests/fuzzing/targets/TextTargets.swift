import Encodings
import PlainText
import UTCTime

extension Target {
    /// Moments as services write them: what is read is written as a moment that is read as the same.
    static let times = Target(name: "times") { bytes in
        guard let text = bytes.text else { return }
        if let time = UTCTime(rfc3339: text) { check(time) }
        if let time = UTCTime(httpDate: text) { check(time) }
        guard bytes.count == 8 else { return }
        check(UTCTime(secondsSince1970: bytes.reduce(0) { $0 << 8 | Int64($1) }))
    }

    private static func check(_ time: UTCTime) {
        require(time.description.utf8.count == 20 && time.basic.utf8.count == 16, time.description)
        require(time.basic == time.description.filter { $0 != "-" && $0 != ":" }, time.basic)
        let years: ClosedRange<Int64> = -62_167_219_200...253_402_300_799  // 0000 to 9999
        guard years.contains(time.secondsSince1970) else { return }
        require(UTCTime(rfc3339: time.description) == time, time.description)
    }

    /// Hexadecimal digits and percent escapes: what is written is read again, and nothing else is.
    static let encodings = Target(name: "encodings") { bytes in
        require(Hexadecimal.decode(Hexadecimal.encode(bytes).utf8) == bytes, "hexadecimal")
        if let value = Hexadecimal.decode(bytes) {
            require(Hexadecimal.encode(value).utf8.elementsEqual(bytes.map(\.lowercased)), "hexadecimal digits")
        }
        if let byte = PercentEncoding.unescape(bytes[...]) {
            require(PercentEncoding.escape(byte).map(\.lowercased) == bytes.prefix(3).map(\.lowercased), "an escape")
        }
        let base64 = Base64.encode(bytes)
        require(base64.utf8.count == (bytes.count + 2) / 3 * 4, base64)
    }

    /// Text from elsewhere: whatever it was, a terminal and a log are shown one harmless line of it.
    static let texts = Target(name: "texts") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let prompt = PlainText.prompt(bytes)
        for plain in [
            PlainText.terminal(text), PlainText.log(text, longest: 80), PlainText.message(text, longest: 80), prompt,
        ] {
            require(plain.isOneHarmlessLine, plain)
            require(PlainText.terminal(plain).unicodeScalars.elementsEqual(plain.unicodeScalars), plain)
        }
        require(prompt.utf8.allSatisfy { 0x20...0x7E ~= $0 }, prompt)
        require(PlainText.message(text, longest: 80).unicodeScalars.count <= 81, text)
        let cut = PlainText.cut(text, toBytes: 80)
        require(cut.utf8.count <= 84, cut)
    }
}
