import AgentAPI
import Clocks
import HeaderFields
import SigV4
import TokenService
import UTCTime
import X509

extension UnsignedRequest {
    /// The headers of the request as of now, signed with the date key of that day. Where midnight passes while the key is
    /// made, as it does while a person is at a touch, another one is made.
    ///
    /// - Parameters:
    ///   - id: Of the access key.
    ///   - dateKey: Makes the date key of a day.
    func dated(
        by clock: AgentClock, signedBy id: String, dateKey: (SigningDay) async throws(Problem) -> HeldSecret
    ) async throws(Problem) -> [HeaderField] {
        for _ in 1...2 {
            let day = Self.day(at: clock.wall() / 1000)
            guard let wanted = SigningDay(day.utf8) else {
                throw Problem(
                    .clockSkew, "the clock is at a day that no signature is for", hint: "set this machine's clock")
            }
            let key = try await dateKey(wanted)
            let now = clock.wall() / 1000
            guard Self.day(at: now) == day else { continue }
            return try signed(by: id, at: now, sha256: Digest.sha256) { (_, texts) throws(Problem) in
                guard let signature = key.hmacs(texts) else {
                    throw Problem(.internalFault, "no memory is left to sign with", hint: "try again")
                }
                return signature
            }.headers
        }
        throw Problem(.clockSkew, "the clock jumps from day to day", hint: "set this machine's clock")
    }

    /// `yyyyMMdd`, in UTC.
    private static func day(at unixSeconds: Int64) -> String {
        String(UTCTime(secondsSince1970: unixSeconds).basic.prefix(8))
    }
}
