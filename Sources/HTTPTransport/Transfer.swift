import CCurl
import Encodings
import HeaderFields

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

/// Header lines as libcurl takes them; libcurl does not copy them.
@safe struct HeaderList: ~Copyable {
    private(set) var head: UnsafeMutablePointer<curl_slist>?

    init() { unsafe head = nil }

    deinit { unsafe curl_slist_free_all(head) }

    mutating func append(_ line: String) throws(TransportError) {
        guard let extended = unsafe curl_slist_append(head, line) else { throw .configuration("out of memory") }
        unsafe head = extended
    }

    mutating func append(_ headers: [HeaderField]) throws(TransportError) {
        for header in headers {
            // Everything else would be more than one line, or none (RFC 9110 §5.1, §5.5).
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(\.isTokenCharacter), !header.value.isEmpty,
                header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else {
                throw .configuration(
                    "header \(header.name.prefix(64).debugDescription) is empty or holds control characters")
            }
            try append("\(header.name): \(header.value)")
        }
    }
}

extension EasyHandle {
    /// All settings but the callbacks. A default of libcurl's that matters to us is set all the same.
    func configure(for request: HTTPRequest, _ url: RequestURL, _ limits: HTTPLimits) throws(TransportError) {
        try set(CURLOPT_URL, request.url)
        try set(CURLOPT_PROTOCOLS_STR, url.isPlaintext ? "http" : "https")
        try set(CURLOPT_PATH_AS_IS, 1)  // the path is signed as it stands
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        try set(CURLOPT_FOLLOWLOCATION, 0)  // a signature is for one host
        try set(CURLOPT_USERAGENT, "tokenward/0.1")
        try set(CURLOPT_MAXFILESIZE, limits.bodyBytes)
        switch request.method {
        case .get: try set(CURLOPT_HTTPGET, 1)
        case .post(let body):
            try set(CURLOPT_POST, 1)
            try set(postFields: body)
        }
        try configureConnection(to: url, limits)
        try configureTLS(caBundle: request.caBundle)
    }

    private func configureConnection(to url: RequestURL, _ limits: HTTPLimits) throws(TransportError) {
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, limits.connectMilliseconds)
        try set(CURLOPT_QUICK_EXIT, 1)  // a name server that hangs must not hold up the end of the transfer
        try set(CURLOPT_FRESH_CONNECT, 1)
        try set(CURLOPT_FORBID_REUSE, 1)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // An empty text turns the environment's proxies off; unset, libcurl reads https_proxy, all_proxy and no_proxy.
        if url.isLoopback { try set(CURLOPT_PROXY, "") }
    }

    private func configureTLS(caBundle: String?) throws(TransportError) {
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        guard let caBundle else { return }
        try set(CURLOPT_CAINFO, caBundle)
        try set(CURLOPT_CAPATH, nil)
    }
}
