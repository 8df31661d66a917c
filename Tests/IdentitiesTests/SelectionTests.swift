import PKCS11URI
import Testing
import TokenService
import X509

@testable import Identities

@Suite struct SelectionTests {
    /// A token with these certificates, each with its key under a CKA_ID of its own.
    private func token(
        _ names: [String], label: String = "prod", flags: TokenFlags = [], isPrivateSeen: Bool = true
    ) throws -> TokenSnapshot {
        var token = TokenSnapshot(label, flags: flags)
        for (index, name) in names.enumerated() {
            let id = [UInt8(index + 1)]
            token.certificates.append(try CertificateObject(name, id: id))
            if isPrivateSeen { token.keys.append(.privateKey(try Vectors.publicHalf(name), id: id, label: name)) }
        }
        return token
    }

    @Test("The certificate that expires last is chosen, and the others are explained")
    func latest() throws {
        let inventory = Inventory([try token(["leaf", "leaf-renewed", "expired"])].present)
        let selection = inventory.select(CertificateSelector(), at: now)
        let identity = try selection.identity.get()
        #expect(identity.certificate == (try Vectors.certificate("leaf-renewed")))
        #expect(
            identity.certificateURI?.description
                == "pkcs11:token=prod;manufacturer=maker;serial=1;model=m;object=leaf-renewed;type=cert;id=%02")
        #expect(
            identity.key.uri.description
                == "pkcs11:token=prod;manufacturer=maker;serial=1;model=m;object=leaf-renewed;type=private;id=%02")
        #expect(identity.key.slotID == 1)
        #expect(
            selection.candidates.map(\.explanation)
                == [["expires earlier than the chosen one"], ["chosen"], ["expired on 2020-01-01T00:00:00Z"]])
    }

    @Test("Two that expire last with different keys are an error that lists both")
    func tie() throws {
        let inventory = Inventory([try token(["leaf", "leaf-tie", "expired"])].present)
        let selection = inventory.select(CertificateSelector(), at: now)
        let error = #expect(throws: SelectionError.self) { try selection.identity.get() }
        let prefix = "pkcs11:token=prod;manufacturer=maker;serial=1;model=m;object="
        #expect(
            error?.message
                == "several certificates expire last and have different keys: "
                + "\(prefix)leaf-tie;type=cert;id=%02, \(prefix)leaf;type=cert;id=%01")
        #expect(selection.candidates.map(\.verdict) == [.tied, .tied, .dropped])
        #expect(selection.candidates[0].explanation == ["expires together with another one that has another key"])
    }

    @Test("Two that expire last with one key are no tie: the lower URI is taken, in whatever order they come")
    func sameKey() throws {
        for names in [["leaf", "leaf-same-end"], ["leaf-same-end", "leaf"]] {
            let selection = Inventory([try token(names)].present).select(CertificateSelector(), at: now)
            #expect(try selection.identity.get().certificate == Vectors.certificate("leaf-same-end"))
            #expect(Set(selection.candidates.map(\.verdict)) == [.chosen, .spare])
        }
    }

    @Test("The same certificate on a second token is a spare; the token that needs no login is used")
    func twoTokens() throws {
        let open = try token(["leaf"], label: "b")
        var closed = try token(["leaf"], label: "a", flags: .loginRequired, isPrivateSeen: false)
        closed.keys = [.publicKey(try Vectors.publicHalf("leaf"))]
        for tokens in [[open, closed], [closed, open]] {
            let selection = Inventory(tokens.present).select(CertificateSelector(), at: now)
            #expect(try selection.identity.get().key.token.label == [UInt8(ascii: "b")])
            #expect(Set(selection.candidates.map(\.verdict)) == [.chosen, .spare])
        }
        let both = Inventory([
            PresentToken(module: 0, snapshot: try token(["leaf"], label: "b")),
            PresentToken(module: 1, snapshot: try token(["leaf"], label: "a")),
        ])
        let selection = both.select(CertificateSelector(), at: now)
        #expect(try selection.identity.get().key.token.label == Array("b".utf8), "the first module's")
        #expect(selection.spares.map(\.key.token.label) == [Array("a".utf8)])
    }

    @Test(
        "Of several URIs the first that has a certificate counts, and those after it are spares in their order",
        arguments: [
            (["a", "b", "c"], ["a", "b", "c"]), (["c", "a"], ["c", "a"]), (["gone", "b", "a"], ["b", "a"]),
            (["expired", "b"], ["b"]), (["gone"], []), (["tied"], []), (["b", "tied"], ["b"]),
        ])
    func declaredOrder(_ labels: [String], _ expected: [String]) throws {
        let inventory = Inventory(
            [
                try token(["leaf"], label: "a"), try token(["leaf-renewed"], label: "b"),
                try token(["leaf"], label: "c"), try token(["expired"], label: "expired"),
                try token(["leaf", "leaf-tie"], label: "tied"),
            ].present)
        let uris = try labels.map { try PKCS11URI("pkcs11:token=\($0)") }
        let selection = inventory.select(CertificateSelector(uris: uris), at: now)
        let identities = ((try? selection.identity.get()).map { [$0] } ?? []) + selection.spares
        #expect(identities.map(\.key.token.label) == expected.map { Array($0.utf8) })
        let verdicts = Set(selection.candidates.map(\.verdict))
        #expect(verdicts.contains(.spare) == (expected.count > 1))
        #expect(verdicts.contains(.chosen) == !expected.isEmpty)
    }

    @Test("Of several URIs each counts with all of its attributes, a module's with a token's")
    func modulesOfSeveralURIs() throws {
        let tokens = try ["a", "b"].flatMap { label in
            try ["/one.so", "/two.so"].enumerated().map { number, path in
                let token = try token(["leaf"], label: label)
                return PresentToken(
                    module: number, location: token.located(in: ModuleDescription(path: path)), snapshot: token)
            }
        }
        let uris = try ["a?module-path=/two.so", "b?module-path=/one.so"].map { try PKCS11URI("pkcs11:token=\($0)") }
        let selection = Inventory(tokens).select(CertificateSelector(uris: uris), at: now)
        let identities = [try selection.identity.get()] + selection.spares
        #expect(identities.map(\.key.token.label) == [Array("a".utf8), Array("b".utf8)])
        #expect(identities.map(\.key.module) == [1, 0])
    }

    @Test("One token that two modules see is no tie")
    func twoModules() throws {
        let token = try token(["leaf"])
        let inventory = Inventory([PresentToken(module: 1, snapshot: token), PresentToken(module: 0, snapshot: token)])
        #expect(try inventory.select(CertificateSelector(), at: now).identity.get().key.module == 0)
    }

    @Test("A certificate whose key is hidden before login comes second")
    func hidden() throws {
        let closed = try token(["leaf-renewed"], label: "closed", flags: .loginRequired, isPrivateSeen: false)
        let open = try token(["leaf"], label: "open")
        let both = Inventory([closed, open].present).select(CertificateSelector(), at: now)
        #expect(try both.identity.get().key.token.label == Array("open".utf8))
        #expect(
            both.candidates[0].explanation
                == ["its private key can be seen only after login; run 'tokenward unlock'"])

        let alone = Inventory([closed].present).select(CertificateSelector(), at: now)
        let identity = try alone.identity.get()
        #expect(identity.key.visibility == .hidden)
        #expect(identity.key.needsLogin)
        #expect(
            identity.key.uri.description
                == "pkcs11:token=closed;manufacturer=maker;serial=1;model=m;type=private;id=%01")
        #expect(alone.candidates.map(\.verdict) == [.chosen])
    }

    @Test(
        "A profile's URI and selectors leave what matches them all",
        arguments: [
            ("pkcs11:token=prod", nil, nil, nil, ["leaf-renewed"]),
            ("pkcs11:object=leaf", nil, nil, nil, ["leaf"]), ("pkcs11:id=%02", nil, nil, nil, ["leaf-three"]),
            ("pkcs11:object=leaf;type=cert", nil, nil, nil, ["leaf"]),
            (nil, "CN=leaf-three", nil, nil, ["leaf-three"]),
            (nil, nil, "CN=Example Issuing CA 3", nil, ["leaf-three"]),
            (nil, nil, "C=JP,O=Example,CN=Example Issuing CA 3", nil, ["leaf-three"]),
            (nil, nil, nil, "1018", ["leaf"]), (nil, nil, nil, "0x3FA", ["leaf"]), (nil, nil, nil, "03:fa", ["leaf"]),
            ("pkcs11:object=leaf", "CN=leaf", "O=Example", "1018", ["leaf"]),
            ("pkcs11:slot-id=1", nil, nil, nil, ["leaf-renewed"]),
            ("pkcs11:token=prod;object=nothing", nil, nil, nil, []), (nil, "CN=Leaf", nil, nil, []),
            (nil, nil, "CN=leaf", nil, []), (nil, nil, nil, "1019000", []),
        ] as [(String?, String?, String?, String?, [String])])
    func selectors(_ uri: String?, subject: String?, issuer: String?, serial: String?, chosen: [String]) throws {
        let selector = try CertificateSelector(
            uris: try uri.map { [try PKCS11URI($0)] } ?? [], subject: subject.map { try DistinguishedName($0) },
            issuer: issuer.map { try DistinguishedName($0) }, serial: serial.map { try #require(SerialNumberText($0)) })
        let inventory = Inventory([try token(["leaf", "leaf-three", "leaf-renewed"])].present)
        let selection = inventory.select(selector, at: now)
        let identity = try? selection.identity.get()
        #expect(try identity.map { [$0.certificate] } ?? [] == chosen.map { try Vectors.certificate($0) })
        if chosen.isEmpty { #expect(throws: SelectionError.noCertificate) { try selection.identity.get() } }
    }

    @Test("A certificate that a selector leaves out says which one")
    func selectorReasons() throws {
        let selector = try CertificateSelector(
            uris: [PKCS11URI("pkcs11:token=prod;object=other")], subject: DistinguishedName("CN=other"),
            issuer: DistinguishedName("CN=other"), serial: SerialNumberText("7"))
        let selection = Inventory([try token(["leaf"])].present).select(selector, at: now)
        #expect(
            selection.candidates[0].explanation == [
                "the profile's certificate URI does not match it",
                "the profile's certificate-subject does not match it",
                "the profile's certificate-issuer does not match it",
                "the profile's certificate-serial does not match it",
            ])
    }

    @Test("Where nothing can be chosen, the error says what is nearest")
    func errors() throws {
        let absent = Inventory([try token(["leaf"])].present)
            .select(CertificateSelector(uris: [try PKCS11URI("pkcs11:token=gone;object=leaf")]), at: now)
        #expect(message(absent) == "no token is present that matches pkcs11:token=gone")
        #expect(message(Inventory([]).select(CertificateSelector(), at: now)) == "no token is present")
        #expect(
            message(Inventory([TokenSnapshot()].present).select(CertificateSelector(), at: now))
                == "no certificate on the tokens matches the profile")
        let dropped = Inventory([try token(["root", "expired", "ca-leaf"])].present)
        #expect(
            message(dropped.select(CertificateSelector(), at: now))
                == "no usable certificate: pkcs11:token=prod;manufacturer=maker;serial=1;model=m;object=expired;type=cert;"
                + "id=%02: expired on 2020-01-01T00:00:00Z (and 2 more)")
    }

    private func message(_ selection: Selection) -> String? {
        if case .failure(let error) = selection.identity { error.message } else { nil }
    }

    @Test("200 certificates on a token, and 10 tokens, are read and chosen from")
    func many() throws {
        var full = try token(["leaf-renewed"])
        full.certificates += try (0..<199).map { try CertificateObject("leaf-tie", id: [2, UInt8($0)]) }
        let others = try (0..<9).map { try token(["leaf"], label: "token \($0)") }
        let selection = Inventory((others + [full]).present).select(CertificateSelector(), at: now)
        #expect(selection.candidates.count == 209)
        #expect(try selection.identity.get().certificate == (try Vectors.certificate("leaf-renewed")))
    }
}
