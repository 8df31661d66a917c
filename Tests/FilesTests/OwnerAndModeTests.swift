import Files
import Glibc
import SystemPackage
import Testing

struct OwnerAndModeTests {
    private static let me: UInt32 = 1000
    private static let open: FilePermissions = [.groupWrite, .otherWrite]

    private static func file(_ type: UInt32, owner: UInt32, mode: UInt32) -> Stat {
        var status = stat()
        (status.st_mode, status.st_uid) = (type | mode, owner)
        return Stat(rawValue: status)
    }

    @Test(
        "A file is as the rule wants it by its type, its owner and its mode, which are asked in this order",
        arguments: [
            (S_IFREG, 0, 0o644, nil), (S_IFREG, me, 0o755, nil), (S_IFREG, me, 0o4600, nil),
            (S_IFLNK, 1001, 0o777, .type), (S_IFDIR, me, 0o755, .type), (S_IFREG, 1001, 0o777, .owner(1001)),
            (S_IFREG, me, 0o664, .mode("664")), (S_IFREG, 0, 0o646, .mode("646")), (S_IFREG, 0, 0o2666, .mode("2666")),
            (S_IFREG, me, 0o1666, .mode("1666")),
        ] as [(UInt32, UInt32, UInt32, OwnerAndMode.Breach?)])
    func order(type: UInt32, owner: UInt32, mode: UInt32, expected: OwnerAndMode.Breach?) {
        let rule = OwnerAndMode(
            .regular, of: [0, Self.me], forbidden: Self.open, unlessStickyOf: [0, Self.me])
        #expect(rule.breach(of: Self.file(type, owner: owner, mode: mode)) == expected)
    }

    @Test(
        "A folder that others can write to passes where it is sticky and of an owner who is allowed that",
        arguments: [
            (0, 0o1777, true), (0, 0o777, false), (me, 0o1777, false), (me, 0o755, true),
        ] as [(UInt32, UInt32, Bool)])
    func sticky(owner: UInt32, mode: UInt32, passes: Bool) {
        let rule = OwnerAndMode(.directory, of: [0, Self.me], forbidden: Self.open, unlessStickyOf: [0])
        #expect((rule.breach(of: Self.file(S_IFDIR, owner: owner, mode: mode)) == nil) == passes)
    }

    @Test("A secret may forbid what a setting allows")
    func secrets() {
        let rule = OwnerAndMode(.regular, of: [Self.me], forbidden: [.groupReadWriteExecute, .otherReadWriteExecute])
        #expect(rule.breach(of: Self.file(S_IFREG, owner: Self.me, mode: 0o600)) == nil)
        #expect(rule.breach(of: Self.file(S_IFREG, owner: Self.me, mode: 0o640)) == .mode("640"))
        #expect(rule.breach(of: Self.file(S_IFREG, owner: 0, mode: 0o600)) == .owner(0))
    }
}
