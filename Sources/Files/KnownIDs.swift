/// The users, or the groups, that a user namespace has numbers for. All others look like one: `overflow`.
package struct KnownIDs: Hashable, Sendable {
    private let ranges: [ClosedRange<UInt64>]

    /// Stands for every id that the user namespace has no number for (user_namespaces(7)).
    package static let overflow: UInt32 = 65_534

    /// - Parameter map: Lines of three numbers: the first id inside, the first outside, how many (user_namespaces(7)).
    package init(map: some StringProtocol) {
        ranges = map.split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").map { UInt64($0) }
            guard numbers.count == 3, let first = numbers[0], let count = numbers[2], count > 0, count <= 1 << 32 else {
                return nil
            }
            return first...(first + count - 1)
        }
    }

    package func contains(_ id: UInt32) -> Bool { ranges.contains { $0.contains(UInt64(id)) } }

    /// Whether none looks like another: the map of a machine without namespaces.
    package var areAll: Bool { ranges.contains { $0.lowerBound == 0 && $0.upperBound >= UInt64(UInt32.max - 1) } }

    /// What is said of a file whose owner is hidden, and what to do.
    package static let hidden = "its owner is hidden by the user namespace that the agent runs in"
    package static let cure = "take PrivateUsers= out of the unit"

    /// Whether a file's owner with this id may be any user outside of the namespace.
    package func hides(_ owner: UInt32) -> Bool { owner == Self.overflow && !contains(owner) }

    package static let users = KnownIDs(ofFile: "/proc/self/uid_map")
    package static let groups = KnownIDs(ofFile: "/proc/self/gid_map")

    /// Where the kernel has no such namespaces, it has no such file and knows all.
    private init(ofFile path: String) {
        let all = Array("0 0 4294967295".utf8)
        self.init(map: String(decoding: OpenFile.beginning(of: path, 4096) ?? all, as: UTF8.self))
    }
}
