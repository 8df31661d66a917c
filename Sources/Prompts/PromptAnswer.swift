package import LockedMemory
package import TokenService

/// What has become of a question for a PIN.
package enum PromptAnswer: Sendable {
    case pin(HeldPIN)
    /// The person did not give one.
    case declined(Decline)
    /// Nobody could be asked now; the text says why.
    case failed(String)

    package enum Decline: Hashable, Sendable {
        case cancelled
        case timedOut(seconds: Int)
        /// Enter alone.
        case empty
        /// What was typed can be no PIN.
        case unusable(PINError)
    }
}

extension PromptAnswer.Decline: CustomStringConvertible {
    /// Behind "its PIN was asked for, and".
    package var description: String {
        switch self {
        case .cancelled: "the prompt was cancelled"
        case .timedOut(let seconds): "nobody typed it within \(seconds) seconds"
        case .empty: "nothing was typed"
        case .unusable(let error): "what was typed is no PIN: \(error)"
        }
    }
}
