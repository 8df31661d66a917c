import Testing
import X509

@testable import KeyFiles

@Suite struct KeyFileTests {
    @Test("The vectors are there") func vectors() {
        #expect(Vectors.rows.count > 100)
        #expect(Vectors.keys.count == 5)
    }

    @Test("Each file gives its key and certificates, or the reason why not", arguments: Vectors.rows)
    func outcome(_ row: Vectors.Row) throws {
        let words = row.outcome.split(separator: " ").map(String.init)
        do {
            let file = try Vectors.read(row.file, password: row.password)
            let key = try #require(Vectors.keys[words[0]], "it should be refused: \(row.outcome)")
            #expect(numbers(of: file.key) == key)
            #expect((file.certificate != nil) == words.contains("certificate"))
            #expect(file.others.count == words.last.flatMap { Int($0) } ?? 0)
            if let certificate = file.certificate {
                #expect(certificate.publicKey == file.key.publicKey)
                #expect(!file.others.contains(certificate))
            }
        } catch let error as KeyFileError {
            let name = String(describing: error).prefix { $0 != "(" }
            #expect(name == words[0], "\(error)")
            if case .severalKeys(let names) = error { #expect(names == Array(words.dropFirst())) }
            #expect(!error.message.contains("\n"))
        }
    }

    @Test(
        "What AWS or PKCS#11 do not take is told with its number or name",
        arguments: [
            ("rsa1024.pem", "the RSA key has 1024 bits, which is too weak; 2048 to 4096 bits are taken"),
            ("rsa4104.pem", "the RSA key has 4104 bits; 2048 to 4096 bits are taken"),
            (
                "ed25519.pem",
                "the key is ED25519; RSA keys of 2048 to 4096 bits and EC keys on P-256, P-384 and P-521 are taken"
            ),
            ("explicit.pem", "the key's curve is spelled out in the file; only curves by their name are taken"),
            ("costly-key.p12", "the file's password asks for 16777216 rounds, more than any honest file"),
            ("pbmac1.p12", "the file's MAC is PBMAC1, which is not taken; write it anew with a MAC by SHA-256 alone"),
            (
                "certificate.pem",
                "the file has no private key, only a certificate; give the file that has the key"
            ),
        ])
    func messages(_ file: String, message: String) throws {
        #expect(throws: KeyFileError.self) { _ = try Vectors.read(file, password: "correct horse") }
        do {
            _ = try Vectors.read(file, password: "correct horse")
        } catch let error as KeyFileError {
            #expect(error.message == message)
        }
    }

    @Test("What follows a file is told in bytes")
    func trailing() throws {
        let count = try Vectors.bytes("modern.p12").count
        #expect(throws: KeyFileError.trailingBytes(count: count)) {
            _ = try Vectors.read("twice.p12", password: "correct horse")
        }
    }

    @Test("Names of keys come with the message, and cannot break its line")
    func names() {
        #expect(
            KeyFileError.severalKeys(names: ["first", "second\n"]).message
                == "the file has more than one private key: \"first\" and \"second\\u{a}\"; export one of them alone")
    }

    @Test("A cipher of DEK-Info that is no name cannot break the line of its message")
    func cipher() throws {
        let text =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES\u{1B}[2J-CBC,00\n\nAAAA\n"
            + "-----END RSA PRIVATE KEY-----\n"
        do {
            _ = try KeyFile.read(Array(text.utf8).span, password: Vectors.password("x"))
            Issue.record("a key")
        } catch let error as KeyFileError {
            #expect(
                error.message
                    == "the file is encrypted with DES\\u{1b}[2J-CBC, which is not taken; write it anew with AES-256")
        }
    }

    @Test("A file of more than a mebibyte is not looked at")
    func tooLarge() {
        let content = [UInt8](repeating: 0x30, count: KeyFile.largest + 1)
        #expect(throws: KeyFileError.tooLarge(bytes: content.count)) {
            _ = try KeyFile.read(content.span, password: FilePassword())
        }
    }

    @Test("A file that is cut short anywhere gives no key", arguments: ["legacy.p12", "plain-no-mac.p12", "plain.pk8"])
    func cut(_ name: String) throws {
        let content = try Vectors.bytes(name)
        for length in stride(from: 0, to: content.count, by: 7) {
            #expect(throws: KeyFileError.self) {
                _ = try KeyFile.read(Array(content.prefix(length)).span, password: Vectors.password("correct horse"))
            }
        }
    }

    @Test("A bit that is changed in a file with a MAC gives no other key")
    func changed() throws {
        let content = try Vectors.bytes("legacy.p12")
        for index in stride(from: 0, to: content.count, by: 31) {
            var changed = content
            changed[index] ^= 0x10
            do {
                let file = try KeyFile.read(changed.span, password: Vectors.password("correct horse"))
                #expect(numbers(of: file.key) == Vectors.keys["p256"], "byte \(index)")
            } catch is KeyFileError {
            }
        }
    }

    @Test("PrivateKeyInfo is the key's, as OpenSSL writes it")
    func pkcs8() throws {
        let file = try Vectors.read("pkcs1.pem")
        let expected = try Vectors.bytes("plain-rsa.pk8")
        #expect(file.key.withBytes(of: .pkcs8) { copy(of: $0) } == expected)
    }
}

/// In the order and the spelling of `keys.tsv`.
private func numbers(of key: borrowing FilePrivateKey) -> [String] {
    func text(_ component: FilePrivateKey.Component) -> String {
        key.withBytes(of: component) { hexadecimal(copy(of: $0)) }
    }
    switch key.publicKey {
    case .rsa(let modulus, let exponent):
        let secret: [FilePrivateKey.Component] = [
            .privateExponent, .prime1, .prime2, .exponent1, .exponent2, .coefficient,
        ]
        return ["rsa", hexadecimal(modulus), hexadecimal(exponent)] + secret.map(text)
    case .ec(_, let point): return ["ec", hexadecimal(point), text(.scalar)]
    case .other(let name): return [name]
    }
}
