import CardWatcher
import Glibc

/// Started by the agent only, which is at the other end of descriptor 3.
///
/// A program of its own: the agent links no PC/SC, and a worker that did could not tell whether its module needs pcscd.
@main
enum TokenwardCardWatcher {
    static func main() { exit(CardWatcher.run(socket: 3)) }
}
