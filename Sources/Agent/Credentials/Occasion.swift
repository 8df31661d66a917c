/// Why a session is obtained, which decides whom that may bother.
package enum Occasion: Sendable {
    /// A refresh in the background, without a request. No person is there to type or to touch.
    case background
    /// A program waits for it. A card may blink; no keypad is switched on.
    case request
    /// A person has asked for a new session by name.
    case demand
    /// Another user's program waits for it, and that user may not have a person act.
    case foreign
}
