import Files
import Testing

@testable import Agent

struct UnseenEntriesTests {
    @Test("The entries of an allow table that match no caller are named in order") func unseen() {
        let list = AllowList(users: [990, 1002, 1001], groups: [990, 100])
        let ids = KnownIDs(map: "0 0 1\n990 990 1\n")
        #expect(list.unseen(users: ids, groups: ids) == ["user 1001", "user 1002", "group 100"])
        let all = KnownIDs(map: "0 0 4294967295\n")
        #expect(list.unseen(users: all, groups: all).isEmpty)
    }
}
