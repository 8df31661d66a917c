import Files
import Testing

struct KnownIDsTests {
    // As Linux 6.18 writes them: a machine's own, systemd's PrivateUsers=yes of the system's and of a user's manager, podman's.
    private static let machine = "         0          0 4294967295\n"
    private static let system = "         0          0          1\n       990        990          1\n"
    private static let user = "      1000       1000          1\n"
    private static let container = "         0     100000      65536\n"

    @Test(
        "An id is known where a line of the map has it",
        arguments: [
            (machine, 0, true), (machine, 65_534, true), (machine, 4_294_967_294, true),
            (machine, 4_294_967_295, false),
            (system, 0, true), (system, 1, false), (system, 989, false), (system, 990, true), (system, 991, false),
            (user, 0, false), (user, 1000, true), (container, 65_535, true), (container, 65_536, false), ("", 0, false),
            ("nonsense\n1 2\n0 0 0\n0 0 99999999999999999999\n", 0, false),
        ] as [(String, UInt32, Bool)])
    func known(map: String, id: UInt32, expected: Bool) {
        #expect(KnownIDs(map: map).contains(id) == expected)
    }

    @Test(
        "An owner is hidden where 65534 is no user of the namespace",
        arguments: [
            (machine, 65_534, false), (container, 65_534, false), (system, 65_534, true), (user, 65_534, true),
            (user, 0, false), (user, 1000, false),
        ] as [(String, UInt32, Bool)])
    func hidden(map: String, owner: UInt32, expected: Bool) {
        #expect(KnownIDs(map: map).hides(owner) == expected)
    }
}
