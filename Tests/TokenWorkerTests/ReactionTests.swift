import PKCS11
import Testing
import TokenService

@testable import TokenWorker

/// The fault table of `softhsm-tests`, for the worker's half of it alone: numbers are those of PKCS#11 2.40, pkcs11t.h.
@Suite("What follows from a code")
struct ReactionTests {
    typealias Kind = WorkerFailure.Kind

    static let gone: [UInt] = [0x32, 0xE0, 0xE1, 0x3]
    static let handle: [UInt] = [0x82, 0x60, 0x65]
    static let session: [UInt] = [0xB3, 0xB0, 0x90, 0x91]
    static let memory: [UInt] = [0x2, 0x31]
    static let broken: [UInt] = [
        0x5, 0x30, 0x190, 0xA, 0x9, 0x1A0, 0x1A1, 0x1C2, 0x1C1, 0xB5, 0xE2, 0xB4, 0xB6, 0xB7, 0xB8, 0x104, 0x105,
    ]
    static let person: [UInt] = [0x50, 0x200, 0x1]
    static let pin: [UInt] = [0xA0, 0xA1, 0xA2]
    static let mechanism: [UInt] = [0x70, 0x71, 0x68, 0x63, 0x62, 0x140, 0x130, 0x54, 0x20, 0x21]
    static let unknown: [UInt] = [0x4, 0x7, 0x91 + 0x100, 0x102, 0x777, 0x7FFF_FFFF, 0x8000_0000, .max]

    private static func kind(
        _ function: Function, _ number: UInt, _ circumstances: WorkerFailure.Circumstances = .init()
    ) -> Kind {
        WorkerFailure(.failed(function, code(number)), in: circumstances).kind
    }

    @Test(
        "A code says the same whichever call answers it",
        arguments: [
            (gone, .tokenGone, .tokenGone), (broken, .broken, .broken), (memory, .broken, .broken),
            ([0x101], .notLoggedIn, .notLoggedIn), ([0xB1], .busy, .busy), ([0x1B], .forbidden, .forbidden),
            (person, .gesture, .gesture), (handle, .function, .function), (session, .function, .broken),
            (pin, .function, .broken), (mechanism, .function, .broken), (unknown, .function, .broken),
        ] as [([UInt], Kind, Kind)])
    func kinds(numbers: [UInt], once: Kind, repeated: Kind) {
        for number in numbers {
            for function in [Function.openSession, .findObjectsInit, .getAttributeValue, .signInit, .logOut] {
                #expect(Self.kind(function, number) == once, "\(function) \(code(number))")
                #expect(Self.kind(function, number, .init(isRepeated: true)) == repeated, "\(function) \(code(number))")
            }
        }
    }

    @Test("A module that cannot list its slots is to be replaced, whatever it says") func slots() {
        for number in Self.gone + Self.person + Self.unknown { #expect(Self.kind(.getSlotList, number) == .broken) }
    }

    @Test("C_Sign says that a mechanism does not do, and no other call can") func mechanisms() {
        for number in Self.mechanism { #expect(Self.kind(.sign, number, .init(isRepeated: true)) == .mechanism) }
    }

    @Test("CKR_USER_NOT_LOGGED_IN is a touch that did not come where the session is logged in, or after a long wait")
    func touches() {
        #expect(Self.kind(.sign, 0x101, .init(isLoggedIn: true)) == .gesture)
        #expect(Self.kind(.sign, 0x101, .init(isLoggedIn: false)) == .notLoggedIn)
        #expect(Self.kind(.sign, 0x101, .init(isLoggedIn: nil)) == .notLoggedIn)
        #expect(Self.kind(.sign, 0x101, .init(isLoggedIn: false, hasWaited: true)) == .gesture)
        #expect(Self.kind(.signInit, 0x101, .init(isLoggedIn: false, hasWaited: true)) == .notLoggedIn)
        #expect(Self.kind(.signInit, 0x101, .init(isLoggedIn: true)) == .gesture)
    }

    @Test("A key that is not seen may be hidden from a session that is not logged in") func hiddenKeys() {
        let missing = PKCS11Error.notFound(.privateKey)
        #expect(WorkerFailure(missing, in: .init(isLoggedIn: false)).kind == .notLoggedIn)
        #expect(WorkerFailure(missing, in: .init(isLoggedIn: true)).kind == .keyNotFound)
        #expect(WorkerFailure(missing).kind == .keyNotFound)
    }

    @Test("What is no code has a kind of its own") func others() {
        let expected: [(PKCS11Error, Kind)] = [
            (.notLoaded(reason: "no such file"), .notLoaded), (.notRead(reason: "no"), .notLoaded),
            (.overLimit(what: "a count", value: 2, limit: 1), .nonsense), (.nonsense(what: "no"), .nonsense),
            (.notFound(.token), .tokenGone), (.notFound(.onlyToken), .tokenGone),
            (.noMechanism(code(0x70)), .mechanism), (.notAuthorized, .notLoggedIn),
        ]
        for (error, kind) in expected { #expect(WorkerFailure(error).kind == kind, "\(error)") }
    }

    @Test("A call is repeated in a new session once, unless its code says that this cannot help") func repeats() {
        for number in Self.handle + Self.session + Self.memory + Self.pin + Self.mechanism + Self.unknown {
            #expect(PKCS11Error.failed(.sign, code(number)).isWorthRepeating, "\(code(number))")
            #expect(!PKCS11Error.failed(.initialize, code(number)).isWorthRepeating)
        }
        for number in Self.gone + Self.broken + Self.person + [0x101, 0xB1, 0x1B] {
            #expect(!PKCS11Error.failed(.sign, code(number)).isWorthRepeating, "\(code(number))")
        }
        #expect(!PKCS11Error.notFound(.privateKey).isWorthRepeating && !PKCS11Error.notAuthorized.isWorthRepeating)
    }

    @Test("One object that cannot be read hides no other, unless the code is about more than the object") func objects()
    {
        for number in [0x11, 0x12, 0x13, 0x101] + Self.unknown + Self.person {
            #expect(PKCS11Error.failed(.getAttributeValue, code(number)).concernsOneObject, "\(code(number))")
            #expect(!PKCS11Error.failed(.findObjects, code(number)).concernsOneObject)
        }
        for number in Self.gone + Self.broken + Self.memory + Self.handle + Self.session {
            #expect(!PKCS11Error.failed(.getAttributeValue, code(number)).concernsOneObject, "\(code(number))")
        }
    }

    @Test("A read-write session is tried where the code may be about read-only ones") func readOnly() {
        #expect(PKCS11Error.failed(.openSession, code(0xB5)).maySpeakAgainstReadOnly)
        #expect(PKCS11Error.failed(.openSession, code(0x6)).maySpeakAgainstReadOnly)
        for number in Self.gone + Self.memory + Self.broken.filter({ $0 != 0xB5 }) + [0xB1] {
            #expect(!PKCS11Error.failed(.openSession, code(number)).maySpeakAgainstReadOnly, "\(code(number))")
        }
        #expect(!PKCS11Error.nonsense(what: "no").maySpeakAgainstReadOnly)
    }

    @Test("A logout that was not answered with CKR_OK has left no login where there was none to end") func logouts() {
        for number in Self.gone + [0x101, 0xB3, 0xB0] {
            #expect(PKCS11Error.failed(.logOut, code(number)).saysLoginIsGone)
        }
        for number in Self.broken + [0x90, 0x6, 0x777] {
            #expect(!PKCS11Error.failed(.logOut, code(number)).saysLoginIsGone, "\(code(number))")
        }
    }

    @Test("A failure of C_Login leaves the PIN in doubt, unless it cannot have been looked at") func doubt() {
        for (number, isInDoubt) in [
            (0x32, true), (0x5, true), (0xB3, true), (0xE0, false), (0x50, false), (0x190, false),
        ] {
            #expect(WorkerFailure(.failed(.logIn, code(UInt(number)))).leavesPINInDoubt == isInDoubt)
            #expect(!WorkerFailure(.failed(.sign, code(UInt(number)))).leavesPINInDoubt)
        }
    }
}
