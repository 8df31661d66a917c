import AgentAPI
import Glibc
import Logging
import ModuleFiles
import PKCS11URI
import Prompts
import SignatureSchemes
import TokenService
import Tokens
import X509

/// Signs through the agent's own way to a token (`Tokens`, its worker's process and the module in it) for some seconds,
/// with several callers that ask again as soon as they are answered. Prints JSON: the rate, and one message with its
/// signature, so that the caller can verify that these were signatures.
///
/// `signing-benchmark WORKER MODULE SOFTHSM2_CONF PIN-FILE CALLERS SECONDS`; as many PKCS#11 sessions as the agent has by
/// default.
@main
enum SigningBenchmark {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 7, let callers = Int(arguments[5]), let seconds = Double(arguments[6]) else {
            exit(64)
        }
        let tokens = Tokens(
            Tokens.Configuration(
                modules: [
                    ModuleConfiguration(location: .path(arguments[2]), environment: ["SOFTHSM2_CONF": arguments[3]])
                ], rules: [TokenRule(uri: PKCS11URI(), pinSource: .file(arguments[4]))], prompt: PromptSettings()),
            setting: Tokens.Setting(
                workerExecutable: arguments[1], keeperExecutable: "/nonexistent", watcherExecutable: "/nonexistent",
                runtimeFiles: "/nonexistent/agent.sock"),
            clock: .system,
            log: Logger(label: "benchmark", factory: { _ in SwiftLogNoOpLogHandler() }))
        do throws(Problem) {
            try await measure(tokens, callers: callers, duration: .seconds(seconds))
        } catch {
            print(error.detail)
            await tokens.stop()
            exit(1)
        }
        await tokens.stop()
    }

    private static func measure(_ tokens: Tokens, callers: Int, duration: Duration) async throws(Problem) {
        guard let first = await tokens.survey().tokens.first else { exit(66) }
        try await tokens.logIn(to: first)
        guard let token = await tokens.survey().tokens.first,
            let key = token.snapshot.keys.first(where: { $0.keyClass == .privateKey })
        else { exit(66) }
        let isRSA = if case .rsa = key.publicHalf { true } else { false }
        let message = Array("a message to sign".utf8)
        let request = SignRequest(
            token: TokenReference(slotID: token.snapshot.slotID, token: token.snapshot.token), keyID: key.id,
            publicHalf: key.publicHalf, scheme: SignatureScheme(isRSA ? .rsaPKCS1 : .ecdsa, .sha256), message: message,
            digest: Digest.sha256(message))
        let flow = SigningFlow(users: [], groups: [])
        let signature = try await tokens.sign(request, on: token, isAskedByName: false, in: flow)

        let start = ContinuousClock.now
        let end = start + duration
        let counts = await withTaskGroup(of: Result<Int, Problem>.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var count = 0
                    do throws(Problem) {
                        while ContinuousClock.now < end {
                            _ = try await tokens.sign(request, on: token, isAskedByName: false, in: flow)
                            count += 1
                        }
                    } catch { return .failure(error) }
                    return .success(count)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var count = 0
        for signed in counts { count += try signed.get() }  // a signature that failed spoils the figure
        let rate = Double(count) / ((ContinuousClock.now - start) / .seconds(1))
        print(#"{"rate": \#(rate), "message": "\#(hexadecimal(message))", "signature": "\#(hexadecimal(signature))"}"#)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
