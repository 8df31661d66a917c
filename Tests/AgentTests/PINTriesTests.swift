import AgentAPI
import Testing
import TokenService

@testable import Agent

struct PINTriesTests {
    @Test(
        "A token's flags tell of its tries; without a flag a refusal leaves them unknown",
        arguments: [
            ([], false, .ok), ([], true, .unknown), ([.userPINCountLow], true, .low),
            ([.userPINCountLow, .userPINFinalTry], false, .final), ([.userPINFinalTry, .userPINLocked], true, .locked),
            ([.loginRequired, .userPINInitialized, .userPINToBeChanged], true, .unknown),
        ] as [(TokenFlags, Bool, TokenListing.PINTries)])
    func words(flags: TokenFlags, hidesCount: Bool, tries: TokenListing.PINTries) {
        #expect(TokenListing.PINTries(flags, hidesCount: hidesCount) == tries)
    }
}
