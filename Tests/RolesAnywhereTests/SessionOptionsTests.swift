import AWSNames
import Testing

@testable import RolesAnywhere

@Suite struct SessionOptionsTests {
    // json.dumps(…, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    @Test("The body is sorted JSON with what was asked for")
    func json() throws {
        let options = try SessionOptions(
            durationSeconds: 43_200, roleSessionName: "a+b=c",
            instanceProperties: ["z": "1", "a\"\\": "line\n\u{1F}é/", "Z": "2"])
        #expect(
            String(decoding: options.json(), as: UTF8.self)
                == #"{"durationSeconds":43200,"instanceProperties":{"Z":"2","a\"\\":"line\n\u001fé/","z":"1"},"#
                + #""roleSessionName":"a+b=c"}"#)
    }

    @Test(
        "Durations from 900 to 43200 seconds are taken",
        arguments: [(899, false), (900, true), (43_200, true), (43_201, false), (-1, false)])
    func duration(seconds: Int, isTaken: Bool) {
        #expect(((try? SessionOptions(durationSeconds: seconds)) != nil) == isTaken)
    }

    @Test(
        "Role session names are those of STS",
        arguments: [
            ("ab", true), ("a_1+=,.@-Z", true), (String(repeating: "a", count: 64), true), ("a", false), ("", false),
            (String(repeating: "a", count: 65), false), ("a b", false), ("a/b", false), ("é1", false), ("a\n", false),
        ])
    func sessionName(name: String, isTaken: Bool) {
        #expect(((try? SessionOptions(roleSessionName: name)) != nil) == isTaken)
    }

    @Test("Instance properties have names and values of 1 to 200 characters, at most 50 of them")
    func instanceProperties() throws {
        let fifty = Dictionary(uniqueKeysWithValues: (0..<50).map { ("k\($0)", "v") })
        _ = try SessionOptions(instanceProperties: fifty)
        let long = String(repeating: "é", count: 200)
        _ = try SessionOptions(instanceProperties: [long: long])
        for bad in [fifty.merging(["x": "y"]) { $1 }, ["": "v"], ["k": ""], ["k": long + "é"]] {
            #expect(throws: RequestFault.self) { try SessionOptions(instanceProperties: bad) }
        }
    }

    @Test("A certificate that cannot be sent is refused before it is signed with")
    func certificate() throws {
        let leaf: [UInt8] = [1]
        let five = (10..<15).map { [UInt8($0)] }
        _ = try SigningCertificate(der: leaf, serial: "0", keyKind: .ec, chain: five)
        for (der, serial, chain) in [
            (leaf, "1", five + [[99]]), (leaf, "1", [leaf]), ([], "1", []), (leaf, "1", [[]]), (leaf, "01", []),
            (leaf, "", []), (leaf, "3ec7", []), (leaf, "-1", []),
            (Array(repeating: 1, count: 16_385), "1", []),
        ] as [([UInt8], String, [[UInt8]])] {
            #expect(throws: RequestFault.self) {
                try SigningCertificate(der: der, serial: serial, keyKind: .rsa, chain: chain)
            }
        }
    }
}
