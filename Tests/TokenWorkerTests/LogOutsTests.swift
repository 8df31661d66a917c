import Testing

@testable import TokenWorker

@Suite("Requests to log out")
struct LogOutsTests {
    @Test("One overtakes what has arrived before it, for good, and nothing that arrives after it") func overtakes() {
        let logOuts = LogOuts()
        let before = logOuts.arrival
        #expect(!before.isOvertaken && !logOuts.areWaiting)
        logOuts.noteArrival()
        let after = logOuts.arrival
        #expect(before.isOvertaken && !after.isOvertaken && logOuts.areWaiting)
        logOuts.noteTaken()
        #expect(before.isOvertaken && !after.isOvertaken && !logOuts.areWaiting)
    }

    @Test("One that waits behind another waits still when that is taken up") func waits() {
        let logOuts = LogOuts()
        logOuts.noteArrival()
        logOuts.noteArrival()
        logOuts.noteTaken()
        #expect(logOuts.areWaiting)
    }
}
