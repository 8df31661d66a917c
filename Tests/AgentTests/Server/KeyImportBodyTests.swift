import AgentAPI
import Testing

@testable import Agent

@Suite struct KeyImportBodyTests {
    private static func body(_ more: String, file: String = "MAA=") -> String {
        #"{"uri":"pkcs11:token=a","label":"client","id":"4a","file":"\#(file)"\#(more)}"#
    }

    private func read(_ text: String) throws(Problem) -> KeyImportBody { try KeyImportBody(Array(text.utf8).span) }

    @Test("The file is read from base 64, and the password goes its own way")
    func whole() throws {
        let body = try read(Self.body(#","password":"pass\u0020word","pin":"1234""#))
        #expect((body.uri, body.id) == ("pkcs11:token=a", [0x4A]))
        #expect(body.label == Array("client".utf8))
        #expect(body.file.content == [0x30, 0x00])
        #expect(body.file.password == .secret)
        #expect(body.password?.pin.count == 9)
        #expect(body.pin?.pin.count == 4)
    }

    @Test("An empty password is another one than none")
    func empty() throws {
        let none = try read(Self.body(""))
        let empty = try read(Self.body(#","password":"""#))
        #expect(none.file.password == .none && none.password == nil)
        #expect(empty.file.password == .empty && empty.password == nil)
    }

    @Test("A file as long as the keeper takes fits")
    func longest() throws {
        let file = String(repeating: "AAAA", count: (1 << 20) / 3)
        #expect(try read(Self.body("", file: file)).file.content.count == (1 << 20) / 3 * 3)
        #expect(Self.body("", file: file).utf8.count < Route.keyImport)
    }

    @Test(
        "Another body is refused, and nothing of it quoted",
        arguments: [
            body("", file: "MAA"), body("", file: "MA\\nA="), body("", file: "-___"), body(#","more":"""#),
            body(#","password":1"#), body(#","password":"a\u0000b""#), body(#","pin":"""#),
            body(#","password":"\#(String(repeating: "x", count: 256))""#), "{}", "",
            #"{"uri":"pkcs11:token=a","label":"client","id":"4a"}"#,
        ])
    func refused(_ text: String) {
        do throws(Problem) {
            _ = try read(text)
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .badRequest)
            #expect(!error.detail.contains("xxx"))
        }
    }
}
