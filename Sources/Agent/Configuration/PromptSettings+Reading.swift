import Prompts

extension PromptSettings {
    /// Reads `[prompt]`.
    init(reading table: inout TableReader) {
        let program = table.value("program") { node throws(ValueFault) in try node.absolutePath() }
        let timeout = table.value("timeout-seconds") { node throws(ValueFault) in try node.integer(in: Self.timeouts) }
        let notify = table.value("notify") { node throws(ValueFault) in try node.boolean() }
        table.refuseUnknownKeys()
        self.init(program: program, timeoutSeconds: timeout ?? 40, notify: notify ?? true)
    }
}
