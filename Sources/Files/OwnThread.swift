import Dispatch

/// Makes calls that a file system or another program may hold up on a thread of their own: neither actors nor the
/// threads that all tasks share are to wait for them.
package func onOwnThread<Value: Sendable, Failure: Error>(
    _ work: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result = await withCheckedContinuation { continuation in
        DispatchQueue(label: "files").async {
            continuation.resume(returning: Result { () throws(Failure) in try work() })
        }
    }
    return try result.get()
}

/// The same for a caller who goes on without the result after this time; a call that hangs keeps its thread.
///
/// - Returns: Nil after the time, and in a task that is cancelled.
package func onOwnThread<Value: Sendable>(
    within limit: Duration, _ work: @escaping @Sendable () -> Value
) async -> Value? {
    let (results, result) = AsyncStream.makeStream(of: Value?.self, bufferingPolicy: .bufferingOldest(1))
    DispatchQueue(label: "files").async { result.yield(work()) }
    DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) { result.finish() }
    for await value in results { return value }
    return nil
}
