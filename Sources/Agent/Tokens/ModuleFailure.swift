import TokenService

/// Why a module gave no answer.
enum ModuleFailure: Error, Hashable, Sendable {
    /// The module does not load, or its worker does not start. The text is the reason.
    case unavailable(String)
    /// Deaths in a row have opened the circuit: no worker is started for these milliseconds.
    case resting(String, milliseconds: Int64)
    case lost(WorkerLoss)
    /// pcscd, which the module needs, cannot be used.
    case readers(ServiceTrouble)
    case refused(WorkerFailure)

    /// Whether another attempt may fare better though nobody has changed anything: the worker died, and another starts.
    var passes: Bool {
        switch self {
        case .resting, .lost, .readers: true
        case .unavailable, .refused: false
        }
    }

    static let stopped = ModuleFailure.lost(WorkerLoss(cause: .stopped))

    static let confused = ModuleFailure.refused(
        WorkerFailure(.protocol, text: "the worker gave another answer than the one asked for"))
}

extension WorkerFailure {
    /// The library may be inconsistent, and only a new process is sure to help (PKCS#11 2.40 §11.1.1).
    var saysModuleIsBroken: Bool {
        guard kind == .function, let returnValue else { return kind == .nonsense }
        // CKR_HOST_MEMORY, CKR_GENERAL_ERROR, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_CRYPTOKI_NOT_INITIALIZED
        return [0x02, 0x05, 0x30, 0x31, 0x190].contains(returnValue)
    }
}
