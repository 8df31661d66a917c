package import LockedMemory
package import TokenService

/// How a question for a PIN has ended.
package enum PromptAnswer: Sendable {
    case pin(HeldPIN)
    /// The person did not give one.
    case declined(Decline)
    /// No prompt was possible; the text says why.
    case failed(String)

    package enum Decline: Hashable, Sendable {
        case cancelled
        case timedOut(seconds: Int)
        /// Enter alone.
        case empty
        /// The typed text cannot be a PIN.
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
