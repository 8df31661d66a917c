import CSystemd
import Glibc

/// A connection to a message bus, on the thread that made it.
@safe struct MessageBus: ~Copyable {
    private let bus: OpaquePointer

    /// A failure of a call on the bus, or of the bus.
    struct Failure: Error, CustomStringConvertible {
        let errno: Int32

        var description: String { unsafe String(cString: strerror(errno)) }

        /// - Parameter result: Of sd-bus: negative where it has failed.
        static func check(_ result: Int32) throws(Failure) {
            guard result >= 0 else { throw Failure(errno: -result) }
        }
    }

    init(address: String) throws(Failure) {
        var bus: OpaquePointer?
        try Failure.check(unsafe csystemd_connect(address, &bus))
        guard let bus = unsafe bus else { throw Failure(errno: ENOMEM) }
        unsafe self.bus = bus
    }

    deinit { _ = unsafe sdBus.flush_close_unref(bus) }

    /// Calls a method, and waits for its reply for five seconds at most.
    func call(
        _ member: String, of interface: String, at path: String, on destination: String, _ arguments: [String] = []
    ) throws(Failure) -> BusMessage {
        var reply: OpaquePointer?
        let copies = unsafe arguments.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        let texts = unsafe copies.map { unsafe UnsafePointer($0) }
        try Failure.check(
            unsafe csystemd_call(bus, destination, path, interface, member, texts, texts.count, &reply))
        guard let reply = unsafe reply else { throw Failure(errno: ENOMSG) }
        return unsafe BusMessage(owning: reply)
    }

    /// Has the desktop show a text until it is taken back, above what else is shown.
    ///
    /// - Returns: A value whose end takes it back.
    func notify(_ title: String, _ body: String) throws(Failure) -> UInt32 {
        var id: UInt32 = 0
        try Failure.check(unsafe csystemd_notify(bus, title, body, &id))
        return id
    }

    func closeNotification(_ id: UInt32) throws(Failure) {
        try Failure.check(unsafe csystemd_close_notification(bus, id))
    }

    /// The next signal, or nil when none comes within so many milliseconds.
    func next(within milliseconds: UInt64) throws(Failure) -> BusMessage? {
        var message: OpaquePointer?
        try Failure.check(unsafe csystemd_next(bus, milliseconds * 1000, &message))
        guard let message = unsafe message else { return nil }
        return unsafe BusMessage(owning: message)
    }
}

/// A signal or a reply. Its fields must be read in order.
@safe struct BusMessage: ~Copyable {
    private let message: OpaquePointer

    init(owning message: OpaquePointer) { unsafe self.message = message }

    deinit { _ = unsafe sdBus.message_unref(message) }

    var sender: String? { unsafe sdBus.message_get_sender(message).map { unsafe String(cString: $0) } }
    var path: String? { unsafe sdBus.message_get_path(message).map { unsafe String(cString: $0) } }
    var member: String? { unsafe sdBus.message_get_member(message).map { unsafe String(cString: $0) } }
    var interface: String? { unsafe sdBus.message_get_interface(message).map { unsafe String(cString: $0) } }

    /// The next value, which is a string; an object path where `type` is `o`. Nil where it is something else.
    func text(_ type: Unicode.Scalar = "s") -> String? {
        var text: UnsafePointer<CChar>?
        guard unsafe sdBus.message_read_basic(message, CChar(type.value), &text) > 0 else { return nil }
        return unsafe text.map { unsafe String(cString: $0) }
    }

    func number() -> UInt32? {
        var number: UInt32 = 0
        return unsafe sdBus.message_read_basic(message, CChar(UInt8(ascii: "u")), &number) > 0 ? number : nil
    }

    func flag() -> Bool? {
        var flag: Int32 = 0
        return unsafe sdBus.message_read_basic(message, CChar(UInt8(ascii: "b")), &flag) > 0 ? flag != 0 : nil
    }

    /// The caller's to close.
    func descriptor() -> Int32? {
        var descriptor: Int32 = -1
        guard unsafe sdBus.message_read_basic(message, CChar(UInt8(ascii: "h")), &descriptor) > 0 else { return nil }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)  // the message keeps its own
        return copy >= 0 ? copy : nil
    }

    /// Goes into an array (`a`), a structure (`r`) or a variant (`v`) of this type, where that comes next.
    func enter(_ type: Unicode.Scalar, _ contents: String) -> Bool {
        unsafe sdBus.message_enter_container(message, CChar(type.value), contents) > 0
    }

    func exit() { _ = unsafe sdBus.message_exit_container(message) }  // the rest of it is skipped with the message
}

/// What `csystemd_load` has loaded.
private var sdBus: csystemd_functions { unsafe csystemd_bus().pointee }
