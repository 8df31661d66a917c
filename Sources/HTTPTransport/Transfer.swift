import CCurl

/// One request and its answer, on the thread that calls `perform`, which it never leaves.
final class Transfer {
    private let request: HTTPRequest
    private let limits: HTTPLimits
    private let connection: HTTPConnection
    private let url: RequestURL
    private let handle: EasyHandle
    private var lines = HeaderList()
    private var collector: AnswerCollector
    private var phase = TransportError.Phase.connect
    private var phaseBegan = ContinuousClock.now
    /// The error that a callback found; libcurl only reports "aborted".
    private var failure: (any Error)?

    init(_ request: HTTPRequest, _ limits: HTTPLimits, _ connection: HTTPConnection) throws(TransportError) {
        self.request = request
        self.limits = limits
        self.connection = connection
        url = try RequestURL(request.url)
        handle = try EasyHandle()
        collector = AnswerCollector(limits: limits)
    }

    func perform() throws -> HTTPResponse {
        guard !url.isPlaintext || (request.allowsLoopbackPlaintext && url.isLoopback) else {
            throw TransportError.configuration("http is for loopback addresses only: use https")
        }
        try handle.configure(for: request, url, limits)
        try lines.append(request.headers)
        try installCallbacks()
        try handle.begin()
        phaseBegan = .now
        while true {
            if let code = try withExtendedLifetime(self, { try handle.perform() }) { return try response(code) }
            if connection.isAbandoned { throw CancellationError() }
            let left = try remainingMilliseconds()
            try handle.wait(milliseconds: min(left, 100))  // short, so that an abandoned connection ends soon
        }
    }

    /// TLS stands: gets the late headers, which may take a human's time.
    fileprivate func connected() -> Bool {
        do {
            guard let late = connection.headersWhenOpen() else { throw CancellationError() }
            try lines.append(late)
            try lines.append("Expect:")  // never wait for a 100 (Continue)
            try unsafe handle.set(CURLOPT_HTTPHEADER, pointer: UnsafeMutableRawPointer(lines.head))
        } catch {
            failure = error
            return false
        }
        phase = .answer
        phaseBegan = .now
        return true
    }

    fileprivate func take(headerLine: [UInt8]) -> Bool { collector.take(headerLine: headerLine) }

    fileprivate func take(body: [UInt8]) -> Bool { collector.take(body: body) }

    private func remainingMilliseconds() throws -> Int {
        let limit = phase == .answer ? limits.answerMilliseconds : limits.connectMilliseconds
        let left = ContinuousClock.now.duration(to: phaseBegan + .milliseconds(limit))
        guard left > .zero else { throw timeout }
        return Int(left / .milliseconds(1)) + 1
    }

    private var timeout: TransportError {
        let isLookingUp = phase == .connect && handle.microseconds(CURLINFO_NAMELOOKUP_TIME_T) == 0
        return .timedOut(isLookingUp ? .nameLookup : phase, host: url.host)
    }

    private func response(_ code: CURLcode) throws -> HTTPResponse {
        if let failure = failure ?? collector.failure { throw failure }
        if code == CURLE_OPERATION_TIMEDOUT { throw timeout }
        if code != CURLE_OK {
            throw TransportError(code, of: handle, host: url.host, whileConnecting: phase == .connect)
        }
        guard collector.hasHeaders else { throw TransportError.truncated }
        let answer = phaseBegan.duration(to: .now)
        return HTTPResponse(
            status: collector.status, headers: collector.headers, body: collector.body,
            timings: HTTPTimings(
                nameLookup: handle.microseconds(CURLINFO_NAMELOOKUP_TIME_T),
                connect: handle.microseconds(CURLINFO_CONNECT_TIME_T),
                appConnect: handle.microseconds(CURLINFO_APPCONNECT_TIME_T),
                answer: Int64(answer / .microseconds(1)), total: handle.microseconds(CURLINFO_TOTAL_TIME_T)))
    }

    /// The pointer is borrowed: callbacks run inside `perform`, which holds `self`.
    private func installCallbacks() throws(TransportError) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe handle.set(CURLOPT_PREREQDATA, pointer: context)
        try unsafe handle.set(CURLOPT_HEADERDATA, pointer: context)
        try unsafe handle.set(CURLOPT_WRITEDATA, pointer: context)
        try handle.check(
            unsafe ccurl_set_prerequest_callback(handle.easy) { context, _, _, _, _ in
                unsafe Transfer.from(context)?.connected() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            })
        try handle.check(
            unsafe ccurl_set_data_callback(handle.easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                guard let line = unsafe Transfer.copy(bytes, size, count) else { return 0 }
                return unsafe Transfer.from(context)?.take(headerLine: line) == true ? line.count : 0
            })
        try handle.check(
            unsafe ccurl_set_data_callback(handle.easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                guard let part = unsafe Transfer.copy(bytes, size, count) else { return 0 }
                return unsafe Transfer.from(context)?.take(body: part) == true ? part.count : 0
            })
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private static func copy(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int) -> [UInt8]? {
        let (total, overflow) = size.multipliedReportingOverflow(by: count)
        guard !overflow, let bytes = unsafe bytes else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: total))
    }
}
