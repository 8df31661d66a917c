import Testing
import TokenService

@testable import TokenWorker

@Suite("A thread's sessions")
struct SessionTableTests {
    private struct Refused: Error {}

    /// A module: it counts what is opened and lists what is open.
    private final class Module {
        var renewals: UInt64 = 0
        var opened = 0
        var events: [String] = []
        var absent: Set<TokenReference> = []

        final class Session {
            let number: Int
            private let module: Module
            init(_ number: Int, _ module: Module) {
                (self.number, self.module) = (number, module)
                module.events.append("open \(number)")
            }
            deinit { module.events.append("close \(number)") }
        }

        func table() -> SessionTable<Session, Refused> {
            SessionTable(renewedAt: { self.renewals }) { (reference) throws(Refused) in
                guard !self.absent.contains(reference) else { throw Refused() }
                self.opened += 1
                return Session(self.opened, self)
            }
        }
    }

    private let module = Module()

    @Test("A token's session is opened once, and another token's beside it") func opens() throws {
        var table = module.table()
        #expect(try table.open(reference("a", slot: 1)).number == 1)
        #expect(try table.open(reference("b", slot: 2)).number == 2)
        #expect(try table.open(reference("a", slot: 1)).number == 1)
        #expect(table[reference("b", slot: 2)]?.number == 2 && table[reference("c", slot: 2)] == nil)
        #expect(table.all.count == 2)
    }

    @Test("Another token in a slot never gets the session of the one before, which is closed first") func exchanged()
        throws
    {
        var table = module.table()
        _ = try table.open(reference("a", slot: 1))
        #expect(try table.open(reference("b", slot: 1)).number == 2)
        #expect(module.events == ["open 1", "close 1", "open 2"])
        #expect(table[reference("a", slot: 1)] == nil)
    }

    @Test("A session that cannot be opened leaves none behind") func refused() throws {
        var table = module.table()
        _ = try table.open(reference("a", slot: 1))
        module.absent = [reference("b", slot: 1)]
        #expect(throws: Refused.self) { try table.open(reference("b", slot: 1)) }
        #expect(table.all.isEmpty && module.events.last == "close 1")
    }

    @Test("After a wish each session is opened anew once, the new one before the old one goes") func renews() throws {
        var table = module.table()
        _ = try table.open(reference("a", slot: 1))
        table.renew()
        #expect(module.events == ["open 1"])
        module.renewals += 1
        table.renew()
        table.renew()
        #expect(module.events == ["open 1", "open 2", "close 1"])
        #expect(table[reference("a", slot: 1)]?.number == 2)
    }

    @Test("A token that is gone by then has no session any more") func renewsWithout() throws {
        var table = module.table()
        _ = try table.open(reference("a", slot: 1))
        _ = try table.open(reference("b", slot: 2))
        (module.renewals, module.absent) = (7, [reference("a", slot: 1)])
        table.renew()
        #expect(table.all.map(\.reference) == [reference("b", slot: 2)])
    }

    @Test("A wish from before the thread began means nothing to it") func late() throws {
        module.renewals = 3
        var table = module.table()
        _ = try table.open(reference("a", slot: 1))
        table.renew()
        #expect(module.opened == 1)
    }

    @Test("One slot's session can be closed, or those that are meant") func closes() throws {
        var table = module.table()
        for slot in 1...3 as ClosedRange<UInt64> { _ = try table.open(reference("a", slot: slot)) }
        table.close(slot: 2)
        #expect(module.events.last == "close 2")
        table.closeAll { reference, session in reference.slotID == 3 && session.number == 3 }
        #expect(table.all.map(\.reference.slotID) == [1])
    }
}
