import Testing

@testable import TokenWorker

@Suite("Requests to log out")
struct LogOutsTests {
    @Test("One overtakes what was sent before it, whenever that is seen, and nothing that was sent after it")
    func overtakes() {
        let logOuts = LogOuts()
        let (before, after) = (logOuts.place(of: 6), logOuts.place(of: 8))
        #expect(!before.isOvertaken && !after.isOvertaken && !logOuts.areWaiting)
        logOuts.noteArrival(7)
        #expect(before.isOvertaken && !after.isOvertaken && logOuts.areWaiting)
        #expect(logOuts.place(of: 5).isOvertaken && !logOuts.place(of: 9).isOvertaken)
        logOuts.noteTaken()
        #expect(before.isOvertaken && !after.isOvertaken && !logOuts.areWaiting)
    }

    @Test("Numbers that begin anew stay in their order", arguments: [UInt32.max, 0, 1])
    func wraps(_ number: UInt32) {
        let logOuts = LogOuts()
        logOuts.noteArrival(number)
        #expect(logOuts.place(of: number &- 1).isOvertaken && !logOuts.place(of: number &+ 1).isOvertaken)
    }

    @Test("One that was long ago overtakes nothing, however many requests come after it")
    func longAgo() {
        let logOuts = LogOuts()
        logOuts.noteArrival(7)
        for number in stride(from: 8 as UInt64, through: 5 << 32, by: 1 << 28) {
            #expect(!logOuts.place(of: UInt32(truncatingIfNeeded: number)).isOvertaken)
        }
    }

    @Test("The agent's end overtakes all", arguments: [0, 1, UInt32.max])
    func end(_ number: UInt32) {
        let logOuts = LogOuts()
        logOuts.noteArrival(number &- 1)
        #expect(!logOuts.place(of: number).isOvertaken)
        logOuts.noteEnd()
        #expect(logOuts.place(of: number).isOvertaken && logOuts.areWaiting)
    }

    @Test("One that waits behind another waits still when that is taken up") func waits() {
        let logOuts = LogOuts()
        logOuts.noteArrival(1)
        logOuts.noteArrival(2)
        logOuts.noteTaken()
        #expect(logOuts.areWaiting)
    }
}
