import Clocks
import Glibc
import Prompts

extension Target {
    /// What a pinentry says: lines, escapes, and the whole dialogue, whose PIN is text without control bytes.
    static let assuan = Target(name: "assuan") { bytes in
        let line = AssuanLine(bytes.span)
        if case .error(let code, let text) = line { require(0...0xFFFF ~= code && text.isOneHarmlessLine, text) }
        checkCommand(bytes)
        switch dialogue(bytes) {
        case .pin(let held):
            let pin = held.pin.withBytes { bytes in bytes.indices.map { bytes[$0] } }
            require(pin.text != nil && pin.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a PIN that is no text")
        case .declined(let decline): require(decline.description.isOneHarmlessLine, decline.description)
        case .failed(let reason): require(reason.isOneHarmlessLine, reason)
        }
    }

    /// A text of one line comes out of the command that it went into.
    private static func checkCommand(_ bytes: [UInt8]) {
        guard bytes.count < 300, let text = bytes.text else { return }
        let command = AssuanLine.command("D", text)
        require(command.last == UInt8(ascii: "\n") && command.count <= AssuanLine.longest + 1, text)
        require(command.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7F }, text)
        var room = [UInt8](repeating: 0, count: 1000)
        let data = Array(command[2..<command.count - 1])
        let count = unsafe room.withUnsafeMutableBytes { room in unsafe AssuanLine.unescape(data.span, into: room) }
        require(count.map { room.prefix($0).elementsEqual(bytes) } == true, text)
    }

    private static func dialogue(_ said: [UInt8]) -> PromptAnswer {
        var (input, output): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard unsafe pipe(&input) == 0, unsafe pipe(&output) == 0 else { fatalError("no pipes") }
        defer { (input + output[..<1]).forEach { close($0) } }
        let isSaid = unsafe write(output[1], said, said.count) == said.count  // a pipe holds 64 KiB
        require(isSaid, "the pipe is full")
        close(output[1])
        let clock = AgentClock(wall: { 0 }, boot: { 0 }, awake: { 0 }, sleep: { _ in })
        guard let place = PromptPlace(header: Array("TTY=/dev/pts/1 TERM=xterm".utf8)),
            var dialogue = PinentryDialogue(input: input[1], output: output[0], deadline: 1000, clock: clock)
        else { fatalError("no dialogue") }
        return dialogue.ask(PromptQuestion(description: "Enter the PIN", error: nil), at: place, seconds: 40)
    }

    /// Where a client says that its person sits: a terminal below /dev, and words without spaces.
    static let places = Target(name: "places") { bytes in
        guard let place = PromptPlace(header: bytes) else { return }
        if let path = place.terminal { require(path.hasPrefix("/dev/") && !path.contains(".."), path) }
        let pairs = place.environment.map { "\($0.key)=\($0.value)" } + (place.terminal.map { ["TTY=\($0)"] } ?? [])
        require(pairs.allSatisfy { $0.utf8.allSatisfy { 0x21...0x7E ~= $0 } }, "\(pairs)")
        require(PromptPlace(header: Array(pairs.joined(separator: " ").utf8)) == place, "\(pairs)")
    }
}
