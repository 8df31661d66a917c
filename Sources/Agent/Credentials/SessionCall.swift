import AgentAPI
import Prompts

/// One request for a profile's session, from the question to the answer.
struct SessionCall {
    /// What the answer is for.
    enum Purpose {
        case client
        /// The attempt with this number signs with it for this profile.
        case attempt(UInt64, of: ProfileName)
        /// It stands in for what this call has asked for.
        case standIn(for: UInt64)
    }

    /// The person behind it.
    struct Person {
        /// How to ask for a PIN; nil if that cannot be done.
        var asking: Asking?
        /// Whether a person may be made to act for it.
        var mayGesture: Bool
        /// The MFA code that was brought: for the profile that was asked for, and for those that its sessions are made of.
        var code: BroughtCode?

        /// Whoever the task that runs works for.
        static var current: Self {
            Self(asking: Asking.current, mayGesture: Gestures.areAllowed, code: BroughtCode.current)
        }

        /// The same for a fallback, which has another device.
        var withoutCode: Self { Self(asking: asking, mayGesture: mayGesture) }

        /// Runs `body`, and the tasks that it starts, for this person and for no other.
        func act<R>(_ body: () -> R) -> R {
            Asking.$current.withValue(asking) {
                Gestures.$areAllowed.withValue(mayGesture) { BroughtCode.$current.withValue(code) { body() } }
            }
        }
    }

    let id: UInt64
    let profile: ProfileName
    let purpose: Purpose
    let occasion: Occasion
    /// Only a new session will do, and that of no fallback.
    var wantsNew = false
    let person: Person
    /// Until when to wait at all, in milliseconds of boot time.
    let end: Int64

    /// Why the profile is down, once its fallbacks are asked.
    private(set) var problem: Problem?
    /// The fallbacks that have not been asked yet.
    private var untried: ArraySlice<ProfileName> = []
    /// The call to the fallback that is asked.
    var toFallback: UInt64?

    var asking: Asking? { person.asking }
    var mayGesture: Bool { person.mayGesture }

    init(
        _ id: UInt64, for profile: ProfileName, _ purpose: Purpose, on occasion: Occasion, by person: Person,
        until end: Int64
    ) {
        (self.id, self.profile, self.purpose, self.occasion) = (id, profile, purpose, occasion)
        (self.person, self.end) = (person, end)
    }

    /// The profile has failed: its fallbacks are asked where that helps.
    mutating func turn(to fallbacks: [ProfileName], because problem: Problem) {
        self.problem = problem
        untried = problem.isDown && !wantsNew ? fallbacks[...] : []
    }

    /// The next fallback to ask; nil after the last.
    mutating func nextFallback() -> ProfileName? { untried.popFirst() }
}
