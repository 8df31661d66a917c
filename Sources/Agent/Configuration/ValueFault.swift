/// A fault in one value, as text that follows its key: ` is 7; give …`, or `: …` before a parser's message.
///
/// `TableReader` adds the place and keeps it as a `ConfigurationError.Fault`.
struct ValueFault: Error {
    let text: String

    init(_ text: String) { self.text = text }
}
