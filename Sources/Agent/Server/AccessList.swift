/// Who may read a file of the agent's user, as Linux stores it in `system.posix_acl_access`: a version, and entries in the order
/// of their tags and ids, all little endian (linux/posix_acl_xattr.h).
enum AccessList {
    private enum Tag: UInt16 {
        case owner = 0x01
        case user = 0x02
        case group = 0x04
        case mask = 0x10
        case others = 0x20
    }

    private static let (read, write): (UInt16, UInt16) = (4, 2)
    private static let version: UInt32 = 2
    /// The id of an entry that has none.
    private static let noID = UInt32.max

    /// The owner reads and writes, these users read, and all others do neither.
    static func bytes(readers: Set<UInt32>) -> [UInt8] {
        var bytes = littleEndian(version) + entry(.owner, read | write)
        for reader in readers.sorted() { bytes += entry(.user, read, reader) }
        return bytes + entry(.group, 0) + entry(.mask, read) + entry(.others, 0)
    }

    private static func entry(_ tag: Tag, _ permissions: UInt16, _ id: UInt32 = noID) -> [UInt8] {
        littleEndian(tag.rawValue) + littleEndian(permissions) + littleEndian(id)
    }

    private static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
