import Dispatch

/// Where certificates and their files are read, paired and chosen from. That takes the longer the more a token holds, and a
/// file system may hang: neither an actor nor the threads that all tasks share are to wait for it, because a lock has to be
/// done within a second.
enum ChoosingQueue {
    private static let queue = DispatchQueue(label: "tokenward.choosing")

    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
