import Glibc
import Keeper

/// Started by the agent only, for one management command; the agent is at the other ends of descriptors 3 and 4.
@main
enum TokenwardKeeper {
    static func main() { exit(Keeper.run(socket: 3, signatures: 4)) }
}
