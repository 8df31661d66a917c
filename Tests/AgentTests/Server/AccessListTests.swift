import Encodings
import Testing

@testable import Agent

@Suite("Access lists of token files") struct AccessListTests {
    @Test("They are the bytes that setfacl stores: setfacl -m u::rw,u:1001:r,u:5:r,g::-,m::r,o::- FILE")
    func readers() {
        #expect(
            Hexadecimal.encode(AccessList.bytes(readers: [1001, 5])) == """
                0200000001000600ffffffff020004000500000002000400e903000004000000ffffffff10000400ffffffff20000000ffffffff
                """)
    }
}
