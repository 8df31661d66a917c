import PKCS11URI
import Testing
import TokenService
import X509

@testable import Identities

@Suite struct FileSelectionTests {
    @Test("The key is found by its public half, on any token")
    func anywhere() throws {
        let tokens = [
            TokenSnapshot("other", keys: [.privateKey(try Vectors.publicHalf("leaf-tie"))]),
            TokenSnapshot("prod", keys: [.privateKey(try Vectors.publicHalf("leaf"), id: [9])]),
        ]
        let selection = try Inventory(tokens.present).select(file: Vectors.certificate("leaf"), keyURI: nil, at: now)
        let identity = try selection.identity.get()
        #expect(identity.certificateURI == nil)
        #expect(
            identity.key.uri.description
                == "pkcs11:token=prod;manufacturer=maker;serial=1;model=m;object=key;type=private;id=%09")
        #expect(identity.key.isConfirmed)
        #expect(selection.candidates.map(\.verdict) == [.chosen])
    }

    @Test(
        "A key that shows no public half is taken where the URI names it",
        arguments: [
            ("pkcs11:token=prod;id=%09", true), ("pkcs11:token=prod;object=key", true),
            ("pkcs11:object=key;type=private", true),
            ("pkcs11:token=prod", false), ("pkcs11:token=prod;id=%08", false),
            ("pkcs11:token=prod;object=other", false),
            ("pkcs11:object=key;type=public", false),
        ])
    func silentKey(_ uri: String, isFound: Bool) throws {
        let token = TokenSnapshot(keys: [.privateKey(silent, id: [9])])
        let selection = try Inventory([token].present)
            .select(file: Vectors.certificate("leaf"), keyURI: PKCS11URI(uri), at: now)
        let key = try? selection.identity.get().key
        #expect((key != nil) == isFound)
        #expect(key?.isConfirmed != true)
        if !isFound { #expect(selection.candidates.map(\.reasons) == [[.noKeyForFile]]) }
    }

    @Test("A public half with another label confirms the key")
    func publicHalf() throws {
        let half = try Vectors.publicHalf("leaf")
        let keys: [KeyObject] = [
            .privateKey(silent, id: [9], label: "mine"), .publicKey(half, id: [9], label: "public"),
        ]
        let uri = try PKCS11URI("pkcs11:object=mine")
        let certificate = try Vectors.certificate("leaf")
        let seen = Inventory([TokenSnapshot(keys: keys)].present).select(file: certificate, keyURI: uri, at: now)
        #expect(try seen.identity.get().key.isConfirmed)
        #expect(try !seen.identity.get().key.needsLogin)

        let closed = TokenSnapshot(flags: .loginRequired, keys: [keys[1]])
        let later = Inventory([closed].present).select(file: certificate, keyURI: uri, at: now)
        #expect(try later.identity.get().key.needsLogin)
        #expect(try later.identity.get().key.id == [9])
    }

    @Test("Another key than the certificate's is refused, whatever the URI says")
    func otherKey() throws {
        let token = TokenSnapshot(keys: [.privateKey(try Vectors.publicHalf("leaf-tie"), id: [9])])
        let selection = try Inventory([token].present)
            .select(file: Vectors.certificate("leaf"), keyURI: PKCS11URI("pkcs11:id=%09"), at: now)
        #expect(
            message(selection)
                == "no usable certificate: the file's: "
                + "the key with this CKA_ID on the token is another one: the public keys differ")
        let weak = TokenSnapshot(keys: [.privateKey(try Vectors.publicHalf("leaf"), canSign: false)])
        let refused = try Inventory([weak].present).select(file: Vectors.certificate("leaf"), keyURI: nil, at: now)
        #expect(refused.candidates.map(\.reasons) == [[.keyCannotSign]])
    }

    @Test(
        "Of several keys the URI's is taken or refused, whatever the others are",
        arguments: [
            ("pkcs11:object=a", [.namedKeyDiffers]), ("pkcs11:object=b", []), ("pkcs11:object=c", []),
            ("pkcs11:object=b;id=%09", []), ("pkcs11:object=b;id=%08", [.noKeyForFile]), ("pkcs11:object=d", []),
            ("pkcs11:id=%09", []), ("pkcs11:type=private", []), ("pkcs11:object=none", [.noKeyForFile]),
        ] as [(String, [DropReason])])
    func severalKeys(_ uri: String, reasons: [DropReason]) throws {
        let (half, other) = (try Vectors.publicHalf("leaf"), try Vectors.publicHalf("leaf-tie"))
        let keys: [KeyObject] = [
            .privateKey(silent, id: [9], label: "a"), .publicKey(other, id: [9], label: "a"),
            .privateKey(silent, id: [9], label: "b"), .publicKey(half, id: [9], label: "b"),
            .privateKey(silent, id: [], label: "c"), .publicKey(half, id: [], label: "c"),
            .privateKey(silent, id: [7], label: "d"),
        ]
        let selection = try Inventory([TokenSnapshot(keys: keys)].present)
            .select(file: Vectors.certificate("leaf"), keyURI: PKCS11URI(uri), at: now)
        #expect(selection.candidates.map(\.reasons) == [reasons])
        let label = try PKCS11URI(uri).object
        if reasons.isEmpty, let label, case .seen(let key)? = selection.candidates.first?.key?.visibility {
            #expect(key.label == label)
        }
    }

    @Test("A key that may be on one token after login is looked for there, on two it is an error")
    func hidden() throws {
        let certificate = try Vectors.certificate("leaf")
        let tokens = ["b", "a"].map { TokenSnapshot($0, flags: .loginRequired) }.present
        let one = try Inventory(tokens).select(file: certificate, keyURI: PKCS11URI("pkcs11:token=a;id=%05"), at: now)
        #expect(try one.identity.get().key.visibility == .hidden)
        #expect(try one.identity.get().key.id == [5])
        let both = Inventory(tokens).select(file: certificate, keyURI: nil, at: now)
        #expect(
            message(both)
                == "several tokens may have the private key, and show it only after login: "
                + "pkcs11:token=a;manufacturer=maker;serial=1;model=m;type=private, "
                + "pkcs11:token=b;manufacturer=maker;serial=1;model=m;type=private")
    }

    @Test("A certificate from a file is judged as one from a token")
    func rules() throws {
        let token = TokenSnapshot(keys: [.privateKey(try Vectors.publicHalf("leaf"))])
        let inventory = Inventory([token].present)
        let expired = try inventory.select(file: Vectors.certificate("expired"), keyURI: nil, at: now)
        #expect(message(expired) == "no usable certificate: the file's: expired on 2020-01-01T00:00:00Z")
        let selector = try CertificateSelector(subject: DistinguishedName("CN=other"))
        let other = try inventory.select(file: Vectors.certificate("leaf"), keyURI: nil, selector: selector, at: now)
        #expect(other.candidates.map(\.reasons) == [[.otherSubject]])
        let gone = try inventory.select(
            file: Vectors.certificate("leaf"), keyURI: PKCS11URI("pkcs11:token=gone"), at: now)
        #expect(message(gone) == "no token is present that matches pkcs11:token=gone")
    }

    private func message(_ selection: Selection) -> String? {
        if case .failure(let error) = selection.identity { error.message } else { nil }
    }
}
