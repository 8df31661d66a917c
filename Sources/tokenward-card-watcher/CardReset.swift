import PCSC
import TokenService

/// The reset of a card whose worker cannot do it any more.
enum CardReset {
    static func reply(to reader: [UInt8]) -> Reply {
        do throws(PCSCError) {
            try ReaderContext().resetCards(inReaderNamed: reader)
            return .reset
        } catch {
            return .failed(WorkerFailure(.function, text: "PC/SC: \(error)"))
        }
    }
}
