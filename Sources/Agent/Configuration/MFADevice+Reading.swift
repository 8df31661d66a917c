import AWSNames
import PlainText
import STS

extension MFADevice {
    /// The most that a program gets, and the longest of them in bytes.
    private static let mostArguments = 64

    /// Reads mfa-serial and mfa-process; nil without the first.
    init?(reading table: inout TableReader) {
        let serial = table.value("mfa-serial", Self.serial)
        let program = table.list("mfa-process", Self.argument)
        if table.has("mfa-process") {
            if !table.has("mfa-serial") {
                table.fault(
                    at: table.lineOf("mfa-process"),
                    "mfa-process gives codes of a device that mfa-serial names; add that")
            }
            if let first = program.first {
                if !first.hasPrefix("/") {
                    table.fault(
                        at: table.lineOf("mfa-process"),
                        "mfa-process begins with \(first.quoted); give an absolute path, from / on: no shell looks it up"
                    )
                }
            } else {
                table.fault(at: table.lineOf("mfa-process"), "mfa-process is empty; give a program and its arguments")
            }
            if program.count > Self.mostArguments {
                table.fault(at: table.lineOf("mfa-process"), "mfa-process has more than \(Self.mostArguments) elements")
            }
        }
        guard let serial else { return nil }
        self.init(serial: serial, program: program)
    }

    /// Of the user, where the device's ARN tells it.
    var accountID: String? { (try? ARN(serial))?.account }

    static func serial(_ node: TOMLNode) throws(ValueFault) -> String {
        let text = try node.text()
        do throws(RequestFault) {
            try RequestText.mfaSerial.check(text)
        } catch {
            throw ValueFault(error.message.without(prefix: RequestText.mfaSerial.setting))
        }
        return text
    }

    /// An argument may be empty, and holds what it holds.
    private static func argument(_ node: TOMLNode) throws(ValueFault) -> String {
        guard case .text(let text) = node.value else { throw ValueFault(" has \(node.kind); give strings") }
        guard text.utf8.count <= 4096, !text.utf8.contains(0) else {
            throw ValueFault(" has an argument that is too long")
        }
        return text
    }
}
