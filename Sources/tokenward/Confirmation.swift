import AgentClient
import Glibc

/// A question to the person at the terminal, before something is deleted.
enum Confirmation {
    /// - Parameter otherwise: The option that stands for the answer.
    /// - Throws: Exit code 64 where the answer is not "yes", or nobody can give one.
    static func ask(_ consequence: String, otherwise option: String) throws(ClientFailure) {
        guard isatty(STDIN_FILENO) == 1 else {
            throw ClientFailure(
                .usage, "nobody can be asked here", hint: "give \(option) to delete it without a question")
        }
        Voice.remark(consequence)
        try? StandardStream.error.write("type 'yes' to go on: ")
        guard readLine(strippingNewline: true) == "yes" else {
            throw ClientFailure(.usage, "the answer was not 'yes'", hint: "nothing was deleted")
        }
    }
}
