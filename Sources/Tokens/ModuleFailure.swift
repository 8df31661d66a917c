import TokenService

/// Why a module gave no answer.
enum ModuleFailure: Error, Hashable, Sendable {
    /// The module does not load, or its worker does not start. The text is the reason.
    case unavailable(String)
    /// Deaths in a row have opened the circuit: no worker is started for these milliseconds.
    case resting(String, milliseconds: Int64)
    case lost(WorkerLoss)
    /// pcscd, which the module needs, cannot be used.
    case readers(ServiceFailure)
    case refused(WorkerFailure)
    /// So many other tokens of the module are in use, and no more have a worker.
    case crowded(Int)

    /// Whether another attempt may fare better by itself: the worker died, and another starts.
    var passes: Bool {
        switch self {
        case .resting, .lost, .readers: true
        case .refused(let failure): failure.retry == .newWorker
        case .unavailable, .crowded: false
        }
    }

    /// Whether the agent has ended the worker, for a reason that the request has nothing to do with.
    var isByAgent: Bool {
        guard case .lost(let loss) = self else { return false }
        return loss.cause == .stopped || loss.cause == .othersDeadline
    }

    /// Whether the module may have done what it was asked: nobody has heard its answer.
    var mayHaveBeenCarriedOut: Bool {
        if case .lost(let loss) = self { loss.wasSent } else { self == .confused }
    }

    static let stopped = ModuleFailure.lost(WorkerLoss(cause: .stopped))

    static let confused = ModuleFailure.refused(
        WorkerFailure(.protocol, text: "the worker gave another answer than the one asked for"))
}

extension ModuleFailure {
    /// The same where there was no worker yet to send anything to: that has cost no token a try.
    var unsent: ModuleFailure {
        guard case .lost(var loss) = self else { return self }
        loss.wasSent = false
        return .lost(loss)
    }
}
