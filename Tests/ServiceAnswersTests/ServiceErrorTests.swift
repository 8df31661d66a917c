import HeaderFields
import ServiceAnswers
import Testing

@Suite("What a service answers in the place of credentials")
struct ServiceErrorTests {
    private enum Refusal: ServiceRefusal {
        case denied, asked

        static let service = "Example"
        static let format = "JSON"
        static let pace = "ten a second"
        var isDenial: Bool { self == .denied }
        var clockTolerance: UInt64? { self == .denied ? 240 : nil }
    }

    /// 2023-10-01T12:00:00Z
    private static let now: Int64 = 1_696_161_600

    private static func error(
        _ kind: ServiceError<Refusal>.Kind, date: String? = nil, code: String? = nil, message: String? = nil
    ) -> ServiceError<Refusal> {
        let headers = date.map { [HeaderField(name: "Date", value: "Sun, 01 Oct 2023 \($0) GMT")] } ?? []
        let answer = ServiceAnswer(status: 403, headers: headers, body: [], receivedAt: now)
        return ServiceReading(answer, of: "GetIt").error(kind, code: code, message: message)
    }

    @Test(
        "Each kind says in one line what happened and what to do",
        arguments: [
            (.refused(.denied), "GetIt was refused with 403: No: words", "look"),
            (.other, "GetIt was refused with 403: No: words", nil),
            (.throttled(retryAfterSeconds: 7), "GetIt was throttled (403): No: words", "wait; ten a second"),
            (.server(retryAfterSeconds: nil), "GetIt failed with 403: No: words", "wait; the service is asked"),
            (.foreign, "the endpoint answered 403 with something that is not JSON", "see endpoint"),
            (.redirect, "the endpoint answered 403, a redirect, which is not followed", "see endpoint"),
            (.expiredAnswer, "Example sent credentials that have expired or are about to", "clock"),
            (.wrongRole, "Example sent credentials for another role or session", "something else than Example"),
            (.malformed(field: "x"), "the answer of Example is not valid at x", "something else than Example"),
        ] as [(ServiceError<Refusal>.Kind, String, String?)])
    private func words(_ kind: ServiceError<Refusal>.Kind, _ message: String, _ hint: String?) {
        let error = Self.error(kind, code: "No", message: "words")
        #expect(error.message == message)
        let told = error.hint { _ in "look" }
        #expect(hint.map { told?.contains($0) == true } ?? (told == nil))
        #expect(error.retryAfterSeconds == (kind == .throttled(retryAfterSeconds: 7) ? 7 : nil))
    }

    @Test(
        "The clock explains a refusal beyond its tolerance, and credentials that come expired from a minute on",
        arguments: [
            (.refused(.denied), "12:04:00", false), (.refused(.denied), "12:04:01", true),
            (.refused(.denied), "11:55:59", true), (.refused(.asked), "10:00:00", false),
            (.expiredAnswer, "12:01:00", false), (.expiredAnswer, "12:01:01", true),
            (.malformed(field: "x"), "10:00:00", false),
        ] as [(ServiceError<Refusal>.Kind, String, Bool)])
    private func clock(_ kind: ServiceError<Refusal>.Kind, _ date: String, _ isClocks: Bool) {
        let error = Self.error(kind, date: date)
        #expect(error.isClocks == isClocks)
        #expect((error.hint { _ in nil }?.contains("timedatectl") == true) == isClocks)
        #expect(!Self.error(kind).isClocks)
    }
}
