import ModuleFiles
import PKCS11URI
import Testing
import TokenService

@testable import Tokens

@Suite("What a module is busy with")
struct AwaitedGesturesTests {
    private static let key = TokenKey(
        module: ModuleIdentity(path: "/m.so"),
        token: TokenDescription(label: [1], manufacturer: [], model: [], serial: []))

    @Test("A login excuses its module from other answers, and is no gesture that somebody waits for") func login() {
        var awaited = AwaitedGestures()
        let call = awaited.nextID()
        awaited.noteLogin(call, Self.key)
        #expect(awaited.excuses(module: Self.key.module) && !awaited.excuses(module: ModuleIdentity(path: "/other.so")))
        #expect(!awaited.occupies(module: Self.key.module) && !awaited.contains(Self.key))
        #expect(awaited.place(of: Self.key) == nil)
        awaited.end(call)
        #expect(!awaited.excuses(module: Self.key.module))
    }

    @Test(
        "A gesture excuses as well, for as long as any is awaited",
        arguments: [.touch, .pinpad, nil] as [AwaitedGestures.Place?])
    func gesture(place: AwaitedGestures.Place?) {
        var awaited = AwaitedGestures()
        let calls = [awaited.nextID(), awaited.nextID()]
        for call in calls { awaited.note(call, Self.key, place) }
        awaited.end(calls[0])
        #expect(
            awaited.excuses(module: Self.key.module) && awaited.occupies(module: Self.key.module)
                && awaited.contains(Self.key))
        awaited.end(calls[1])
        #expect(!awaited.excuses(module: Self.key.module) && !awaited.occupies(module: Self.key.module))
    }
}
