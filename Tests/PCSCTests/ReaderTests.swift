import Glibc
import Testing
import TokenService

@testable import PCSC

/// Numbers are those of pcsclite.h.
@Suite("Readers as pcscd tells of them")
struct ReaderTests {
    private static func reader(_ state: UInt32) -> Reader { Reader(name: Array("Reader".utf8), state: state) }

    @Test(
        "The SCARD_STATE flags say whether there is a card",
        arguments: [
            (0x10, .absent), (0x20, .present), (0x22, .present), (0x120, .present), (0x1A0, .present),
            (0x220, .mute), (0x420, .present), (0x8, .unavailable), (0x4, .unavailable), (0x2C, .unavailable),
            (0x0, .absent), (0x0003_0010, .absent), (0xFFFF_0020, .present),
        ] as [(UInt32, CardReader.Card)])
    func cards(state: UInt32, card: CardReader.Card) {
        #expect(Self.reader(state).card == card)
    }

    @Test("The upper half of the state counts what came and went") func events() {
        #expect([0x20, 0x0001_0010, 0xFFFF_0122].map { Self.reader($0).events } == [0, 1, 65_535])
    }

    @Test("Only SCARD_STATE_EXCLUSIVE keeps others out") func exclusive() {
        #expect(Self.reader(0x01A0).isExclusive && !Self.reader(0x0120).isExclusive)
    }

    @Test("A wait starts from the state without SCARD_STATE_CHANGED, and does not end when a card is used or let go")
    func known() {
        #expect(Self.reader(0x0007_0122).known == 0x0007_0020)
        #expect(Self.reader(0x0007_02A2).known == 0x0007_02A0)
    }

    @Test("The list of readers is watched beside them, where there is room: 16 are the most in one call") func list() {
        let readers = (0..<16).map { _ in Self.reader(0x0001_0022) }
        let few = ReaderContext.known(Array(readers.prefix(15)))
        #expect(few.count == 16 && few[15].name == Array(#"\\?PnP?\Notification"#.utf8) && few[15].state == 0)
        #expect(few[0].state == 0x0001_0020)
        #expect(ReaderContext.known(readers).count == 16 && ReaderContext.known([]).count == 1)
    }
}

@Suite("PC/SC's return codes")
struct PCSCErrorTests {
    @Test("SCARD_S_SUCCESS is no error, and others keep winscard.h's number, whatever LONG's width") func codes() throws
    {
        try PCSCError.check(0)
        for code in [0x8010_000A, -0x7FEF_FFF6] {
            let error = #expect(throws: PCSCError.self) { try PCSCError.check(code) }
            #expect(error == .timeout && error?.code == 0x8010_000A)
        }
        #expect(PCSCError(code: 0x8010_002E) == .noReaders && PCSCError(code: 0x8010_0009) == .unknownReader)
    }

    /// The texts of pcsc-lite's error.c.
    @Test("A code is told in pcsc-lite's words") func words() {
        #expect("\(PCSCError(code: 0x8010_000A))" == "Command timeout.")
        #expect("\(PCSCError(code: 0x8010_001D))" == "Service not available.")
    }
}

@Suite("Why pcscd cannot be used")
struct PCSCServiceTests {
    /// A folder that ends with the test.
    private final class Folder {
        let path: String
        init() {
            var template = Array("/tmp/pcsc-tests-XXXXXX".utf8CString)
            path = unsafe String(cString: mkdtemp(&template))
        }
        deinit {
            unsafe unlink("\(path)/socket")
            unsafe rmdir(path)
        }
    }

    /// A socket that is bound there, and listens where wanted.
    private static func bound(_ path: String, listens: Bool) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
        if listens { #expect(listen(descriptor, 1) == 0) }
        return descriptor
    }

    @Test("Its socket does not exist, or has no process behind it, or takes the connection and will end it")
    func probes() {
        let folder = Folder()
        let path = "\(folder.path)/socket"
        #expect(PCSCService.probe(path) == .notRunning)
        #expect(PCSCService.probe("\(path)/below") == .notRunning)
        close(Self.bound(path, listens: false))
        #expect(PCSCService.probe(path) == .stopped)
        unsafe unlink(path)
        let descriptor = Self.bound(path, listens: true)
        defer { close(descriptor) }
        #expect(PCSCService.probe(path) == .refused)
        #expect(PCSCService.probe("/" + String(repeating: "x", count: 200)) == .notRunning)
    }
}
