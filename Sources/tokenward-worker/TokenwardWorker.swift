import Glibc
import TokenWorker

/// Started by the agent only, which is at the other end of descriptor 3.
@main
enum TokenwardWorker {
    static func main() { exit(Worker.run(socket: 3)) }
}
