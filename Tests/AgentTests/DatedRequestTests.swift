import AgentAPI
import Clocks
import Encodings
import HeaderFields
import LockedMemory
import SigV4
import Synchronization
import Testing
import TokenService

@testable import Agent

/// The signatures are botocore's: `SigV4Auth(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "sts",
/// "us-east-1")` over the request below. The date keys are openssl's: `openssl dgst -sha256 -mac HMAC -macopt
/// key:AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY` over the day.
@Suite("A request that is signed around midnight")
struct DatedRequestTests {
    private static let midnight: Int64 = 1_764_288_000  // 2025-11-28T00:00:00Z
    private static let keys = [
        "20251127": "7888f9994536d34d8753a575bb728e6dc878910e89d933b1c7ffe99c093d75fc",
        "20251128": "1ba2fe0e7295dcd6c427eeca7d95ea6560f7593e590c3bba2a131dcb2b35feb2",
    ]
    private let request = UnsignedRequest(
        service: "sts", region: "us-east-1", headers: [HeaderField(name: "Host", value: "sts.amazonaws.com")],
        body: Array("Action=GetSessionToken&Version=2011-06-15".utf8))

    /// What the token was asked for, and the headers that came of it.
    ///
    /// - Parameter moments: What the clock shows, one look after the other, in seconds from midnight.
    private func signed(
        at moments: [Int64]
    ) async -> (asked: [String], headers: [String: String], problem: Problem?) {
        let left = Mutex(moments)
        let clock = AgentClock(
            wall: { (Self.midnight + left.withLock { $0.removeFirst() }) * 1000 }, boot: { 0 }, sleep: { _ in })
        var asked: [String] = []
        do throws(Problem) {
            let headers = try await request.dated(by: clock, signedBy: "AKIDEXAMPLE") { (day) throws(Problem) in
                let day = String(decoding: day.digits, as: UTF8.self)
                asked.append(day)
                guard let key = Self.keys[day].flatMap({ Hexadecimal.decode($0.utf8) }),
                    var page = SecretBuffer(capacity: 32, isLocked: true), page.insert(key.span, at: 0)
                else { throw Problem(.internalFault, "a day that the test has no key for") }
                return HeldSecret(page)
            }
            return (asked, Dictionary(headers.map { ($0.name, $0.value) }) { $1 }, nil)
        } catch {
            return (asked, [:], error)
        }
    }

    @Test(
        "It has the date key of the day in its date",
        arguments: [
            (
                [-2, -1], ["20251127"], "20251127T235959Z",
                "c23132c888587270c427edd4b20c0012ec35ea6250c3aff3c1e85bca877a1443"
            ),
            (
                [0, 0], ["20251128"], "20251128T000000Z",
                "6ff9f680506b9c1621fb1cbfe94bdfecea9879c7c2fe84cde777fcd968b07d4a"
            ),
            (
                [-10, 5, 5, 7], ["20251127", "20251128"], "20251128T000007Z",
                "dfafbdce65d1c28b5eba251c9667577f314721a2ad07181095e5158efde44064"
            ),
        ] as [([Int64], [String], String, String)])
    func date(moments: [Int64], days: [String], date: String, signature: String) async {
        let (asked, headers, problem) = await signed(at: moments)
        #expect(problem == nil)
        #expect(asked == days)
        #expect(headers["X-Amz-Date"] == date)
        #expect(headers["Authorization"]?.contains("Credential=AKIDEXAMPLE/\(date.prefix(8))/us-east-1/sts/") == true)
        #expect(headers["Authorization"]?.hasSuffix(", Signature=\(signature)") == true)
    }

    @Test("A clock that jumps is told of, and the token is asked no third time")
    func jumps() async {
        let (asked, _, problem) = await signed(at: [-1, 1, -1, 1])
        #expect(problem?.code == .clockSkew)
        #expect(asked == ["20251127", "20251127"])
    }
}
