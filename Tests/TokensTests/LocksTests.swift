import ModuleFiles
import PKCS11URI
import Testing
import TokenService

@testable import Tokens

struct LocksTests {
    private static func key(_ label: String) -> TokenKey {
        TokenKey(
            module: ModuleIdentity(path: "/m"),
            token: TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: []))
    }
    private func unlock(_ key: TokenKey, _ locks: inout Locks) {
        let unlocking = locks.beginUnlock(key, asOf: .init())
        locks.endUnlock(unlocking, hasWorked: true)
    }
    private let one = key("one")
    private let other = key("other")

    @Test("One token is locked, and unlocked, alone")
    func single() {
        var locks = Locks()
        _ = locks.lock([one], asOf: .init())
        #expect(locks.contains(one) && !locks.contains(other))
        unlock(one, &locks)
        #expect(!locks.contains(one))
    }

    @Test("A lock holds for every module of its library that shows such a token, whatever its settings")
    func settings() {
        var locks = Locks()
        _ = locks.lock([one], asOf: .init())
        var same = one
        same.module.environment = ["SERVER": "a"]
        #expect(locks.contains(same) && locks.people == LockSet(exceptions: [one]))
        unlock(same, &locks)
        #expect(!locks.contains(one))
    }

    @Test("A lock of all holds for tokens that come later, until each is unlocked")
    func all() {
        var locks = Locks()
        locks.lockAll()
        unlock(one, &locks)
        #expect(!locks.contains(one) && locks.contains(other))
    }

    @Test("An unlock that came to nothing leaves each lock to the one who has set it", arguments: [false, true])
    func restored(eventHasEnded: Bool) {
        var locks = Locks()
        _ = locks.lock([other], asOf: .init())
        _ = locks.begin(.suspend)
        let unlocks = [one, other].map { locks.beginUnlock($0, asOf: .init()) }
        #expect(!locks.contains(one) && !locks.contains(other) && locks.lasting == LockSet(exceptions: [other]))
        if eventHasEnded { _ = locks.end(.suspend) }
        for unlock in unlocks { locks.endUnlock(unlock, hasWorked: false) }
        #expect(locks.contains(one) != eventHasEnded && locks.contains(other))
        _ = locks.end(.suspend)
        #expect(!locks.contains(one) && locks.contains(other))
    }

    @Test("An event's lock ends with it, and what a person locked stays locked")
    func event() {
        var locks = Locks()
        _ = locks.lock([one], asOf: .init())
        _ = locks.begin(.suspend)
        #expect(locks.contains(one) && locks.contains(other))
        _ = locks.end(.suspend)
        #expect(locks.contains(one) && !locks.contains(other))
    }

    @Test("Who unlocks a token during an event means it; the next event locks it again")
    func unlockDuringEvent() {
        var locks = Locks()
        locks.lockAll()
        _ = locks.begin(.suspend)
        unlock(one, &locks)
        #expect(!locks.contains(one) && locks.contains(other))
        _ = locks.end(.suspend)
        #expect(!locks.contains(one) && locks.contains(other))
        _ = locks.begin(.suspend)
        #expect(locks.contains(one))
    }

    @Test("Of several events the last one to end ends the lock, and each begins once")
    func events() {
        var locks = Locks()
        #expect(locks.begin(.suspend) && locks.begin(.screenLock) && !locks.begin(.suspend))
        #expect(!locks.end(.sessionEnd) && !locks.end(.suspend) && locks.contains(one))
        #expect(locks.end(.screenLock) && !locks.contains(one))
    }
}
