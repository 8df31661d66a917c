import PKCS11URI
import Testing

@Suite("Our parser beside p11-kit's")
struct ParserDifferenceTests {
    private static let seed: UInt64 = 7512

    @Test("10,000 URIs are read alike, or refused for a reason that has a name") func parsersAgree() throws {
        print("seed \(Self.seed)")
        var generator = URIGenerator(seed: Self.seed)
        var acceptedByBoth = 0
        var refusedByBoth = 0
        var stricter: [String: Int] = [:]
        for number in 0..<10_000 {
            let text = number.isMultiple(of: 2) ? generator.valid() : generator.damaged()
            let theirs = P11KitURI(text)
            switch (Result { () throws(PKCS11URIError) in try PKCS11URI(text) }, theirs) {
            case (.success(let ours), let theirs?):
                acceptedByBoth += 1
                try compare(ours, theirs, text)
            case (.success, nil):
                Issue.record("p11-kit refuses what we take: \(text)")
            case (.failure, nil):
                refusedByBoth += 1
            case (.failure(let error), _?):
                let uri = URIText(text)
                if let reason = Strictness.all.first(where: { $0.applies(uri) }) {
                    stricter[reason.name, default: 0] += 1
                } else {
                    Issue.record("p11-kit takes what we refuse: \(text) (\(error.message))")
                }
            }
        }
        print("accepted by both: \(acceptedByBoth), refused by both: \(refusedByBoth), refused by us: \(stricter)")
        #expect(acceptedByBoth >= 2_000)
        #expect(refusedByBoth >= 2_000)
        #expect(Set(stricter.keys) == Set(Strictness.all.map(\.name)), "each reason is seen at least once")
    }

    private func compare(_ ours: PKCS11URI, _ theirs: P11KitURI, _ text: String) throws {
        let fields = URIFields(ours)
        #expect(fields == theirs.fields, "\(text)")
        #expect(fields == P11KitURI(ours.description)?.fields, "\(text) is printed as \(ours)")
        #expect(try PKCS11URI(ours.description) == ours, "\(text) is printed as \(ours)")
    }
}
