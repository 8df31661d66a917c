import AgentAPI
import PKCS11URI
import Testing
import TokenService

@testable import Tokens

struct LoginFailureTests {
    private static let token = TokenDescription(
        label: Array("demo".utf8), manufacturer: [], model: [], serial: Array("1".utf8))

    @Test(
        "A client is told in words what is wrong with the PIN",
        arguments: [
            (.blocked, .pinBlocked, #"the PIN of token "demo" is blocked"#),
            (.notSent(.locked), .pinBlocked, #"the PIN of token "demo" is blocked"#),
            (.locked, .locked, #"token "demo" is locked"#),
            (.needed, .pinNeeded, #"token "demo" needs its PIN"#),
            (.notSent(.notInitialized), .pinNeeded, #"token "demo" has no user PIN yet, so there is none to type"#),
            (
                .notSent(.knownWrong), .pinIncorrect,
                #"token "demo" has refused this PIN before, so it was not sent again"#
            ),
            (
                .rejected(name: "CKR_PIN_INCORRECT"), .pinIncorrect,
                #"token "demo" refused its PIN (CKR_PIN_INCORRECT), which is not tried again"#
            ),
            (
                .ambiguous([PKCS11URI(token: token), PKCS11URI(token: token)]), .pinNeeded,
                #"2 modules show token "demo", so its PIN is sent to none of them"#
            ),
        ] as [(LoginFailure, Problem.Code, String)])
    func words(failure: LoginFailure, code: Problem.Code, detail: String) {
        let problem = failure.problem(for: Self.token)
        #expect(problem.code == code)
        #expect(problem.detail == detail)
        #expect(problem.parameters[.token] == #""demo""#)
        #expect(problem.hint != nil)
    }

    @Test("What a refused PIN may have by mistake is told") func oddities() {
        let failure = LoginFailure.rejected(name: "CKR_PIN_INCORRECT", oddities: [.blankAfter, .quotes])
        let hint = "the PIN has a blank after it and quotes around it: check it, then run 'tokenward unlock'"
        #expect(failure.problem(for: Self.token).hint == hint)
    }

    @Test("What names the module is a URI that can be given as it stands") func ambiguous() throws {
        let uris = ["/a.so", "/b.so"].map { PKCS11URI(token: Self.token).naming(ModuleDescription(path: $0)) }
        let hint = try #require(LoginFailure.ambiguous(uris).problem(for: Self.token).hint)
        #expect(hint.contains("'pkcs11:token=demo;manufacturer=;serial=1;model=?module-path=/a.so'"))
        #expect(hint.contains("'pkcs11:token=demo;manufacturer=;serial=1;model=?module-path=/b.so'"))
    }
}
