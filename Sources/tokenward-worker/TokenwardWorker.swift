import Glibc
import TokenWorker

/// Started by the agent only, which is at the other ends of descriptors 3 and 4.
@main
enum TokenwardWorker {
    static func main() { exit(Worker.run(socket: 3, signatures: 4)) }
}
