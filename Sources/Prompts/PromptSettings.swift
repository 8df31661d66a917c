import Glibc

/// How people are asked for PINs, and told of touches: the table `[prompt]`.
package struct PromptSettings: Hashable, Sendable {
    /// An absolute path; nil: the first of the usual ones that is there.
    package var program: String?
    /// How long a person has to type the PIN.
    package var timeoutSeconds: Int
    /// Whether the desktop tells of a touch that is waited for.
    package var notify: Bool

    /// Below the 50 seconds for which clients wait: they are told what became of the prompt.
    package static let timeouts = 5...40

    package init(program: String? = nil, timeoutSeconds: Int = 40, notify: Bool = true) {
        self.notify = notify
        self.program = program
        self.timeoutSeconds = timeoutSeconds
    }

    /// Debian's alternative first, which the administrator chooses; then what other systems have.
    private static let usual = [
        "/usr/bin/pinentry", "/usr/local/bin/pinentry", "/usr/bin/pinentry-gnome3", "/usr/bin/pinentry-qt",
        "/usr/bin/pinentry-gtk-2", "/usr/bin/pinentry-curses", "/usr/bin/pinentry-tty",
    ]

    /// The program as it is found now; nil where there is none.
    package var executable: String? {
        (program.map { [$0] } ?? Self.usual).first { unsafe access($0, X_OK) == 0 }
    }

    /// One line for `status` where no prompt is possible.
    package var notice: String? {
        guard executable == nil else { return nil }
        if let program { return "nobody can be asked for a PIN: \(program), the program of [prompt], is not there" }
        return "nobody can be asked for a PIN: pinentry is not installed (on Debian: apt-get install pinentry-curses)"
    }
}
