import ModuleFiles
import PKCS11URI
import Testing
import TokenService

@testable import Tokens

@Suite("What a module is busy with")
struct OpenCallsTests {
    private static let key = TokenKey(
        module: ModuleIdentity(path: "/m.so"),
        token: TokenDescription(label: [1], manufacturer: [], model: [], serial: []))

    @Test("A login excuses its module from other answers, and is no gesture that a person is waited for with")
    func login() {
        var calls = OpenCalls()
        let call = calls.begin(Self.key)
        #expect(!calls.excuse(Self.key.module))
        calls.note(call, .login)
        #expect(calls.excuse(Self.key.module) && !calls.excuse(ModuleIdentity(path: "/other.so")))
        #expect(!calls.awaitGesture(of: Self.key.module) && !calls.awaitGesture(on: Self.key))
        #expect(calls.gesture(on: Self.key) == nil)
        calls.note(call, .quiet)
        #expect(!calls.excuse(Self.key.module))
    }

    @Test(
        "A gesture excuses as well, for as long as any is awaited",
        arguments: [.touch, .pin, nil] as [Gesture?])
    func gesture(gesture: Gesture?) {
        var calls = OpenCalls()
        let both = [calls.begin(Self.key, .gesture(gesture)), calls.begin(Self.key, .gesture(gesture))]
        calls.end(both[0])
        #expect(calls.excuse(Self.key.module) && calls.awaitGesture(of: Self.key.module))
        #expect(calls.awaitGesture(on: Self.key) && calls.gesture(on: Self.key) == gesture)
        calls.end(both[1])
        #expect(!calls.excuse(Self.key.module) && !calls.awaitGesture(of: Self.key.module))
    }

    @Test("A lock revokes the calls of its tokens alone")
    func revoked() {
        var calls = OpenCalls()
        var other = Self.key
        other.token.label = [2]
        let both = [calls.begin(Self.key), calls.begin(other)]
        calls.revoke { $0 == Self.key }
        #expect(both.map(\.permit.isRevoked) == [true, false])
    }
}
