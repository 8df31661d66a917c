/// STS GetSessionToken (STS API reference), for a caller whose signature has been verified.
struct GetSessionToken {
    let caller: Caller
    let now: UTCTime
    let hasMFA: Bool

    func answer(_ parameters: STSParameters) throws(STSError) -> STSAnswer {
        guard caller.session == nil else {
            throw .accessDenied("Cannot call GetSessionToken with session credentials")
        }
        let duration = try parameters.duration(900...129_600) ?? 43_200
        return STSAnswer(
            action: "GetSessionToken",
            session: IssuedSession(
                caller.identity, expiration: now.advanced(by: duration),
                attributes: SessionAttributes(hasMFA: hasMFA)))
    }
}
