/// What is wrong with one value, to be said after its key: ` is 7; give …`, or `: …` where a parser has the word.
struct Complaint: Error {
    let text: String

    init(_ text: String) { self.text = text }
}
