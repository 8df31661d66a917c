import Dispatch

/// Makes calls that a file system or another program may hold up on a thread of their own: neither actors nor the threads that all
/// tasks share are to wait for them.
package func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        DispatchQueue(label: "files").async { continuation.resume(returning: work()) }
    }
}
