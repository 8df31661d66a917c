import Glibc
import Testing

@testable import Tokens

struct WorkerWearTests {
    private static let day: Int64 = 24 * 3600 * 1000
    private static let mebibyte = 1 << 20

    @Test(
        "A worker is replaced by age, count and size, and a person's login keeps it until it is huge",
        arguments: [
            (0, 0, 10, .none, nil),
            (day - 1, 9_999, 128, .ofStoredPIN, nil),
            (day, 0, 10, .none, "it has run for a day"),
            (day, 0, 10, .ofStoredPIN, "it has run for a day"),
            (0, 10_000, 10, .ofStoredPIN, "it has served 10000 requests"),
            (0, 0, 129, .none, "it has 129 MiB in memory"),
            (0, 0, 129, .ofStoredPIN, "it has 129 MiB in memory"),
            (day, 10_000, 512, .ofPerson, nil),
            (0, 0, 513, .ofPerson, "it has 513 MiB in memory"),
        ] as [(Int64, Int, Int, HeldLogin, String?)])
    func verdicts(_ age: Int64, _ operations: Int, _ mebibytes: Int, _ login: HeldLogin, _ verdict: String?) {
        let wear = WorkerWear(startedAt: 5000, operations: operations)
        #expect(
            wear.verdict(at: 5000 + age, residentBytes: mebibytes * Self.mebibyte, login: login) == verdict)
    }

    @Test("It is looked at after each of the first answers, and then once a second")
    func looks() {
        var young = WorkerWear(startedAt: 5000, operations: 64)
        #expect((0..<3).allSatisfy { _ in young.isToBeLookedAt(at: 5000) })
        var old = WorkerWear(startedAt: 5000, operations: 65)
        let looks = stride(from: 6000 as Int64, to: 9000, by: 100).filter { old.isToBeLookedAt(at: $0) }
        #expect(looks == [6000, 7000, 8000])
    }

    @Test("A process's memory is what the kernel says it is")
    func memory() throws {
        let bytes = residentBytes(of: getpid())
        var usage = rusage()
        unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        #expect(bytes > Self.mebibyte && bytes <= usage.ru_maxrss * 1024 + 16 * Self.mebibyte)
        #expect(residentBytes(of: -1) == 0)
    }
}
