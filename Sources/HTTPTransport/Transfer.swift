import CClientTLS
import CCurl
import Encodings
import HeaderFields
import SignatureSchemes

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
    private var proof = Proof.none
    /// libcurl reads once more from a connection that it closes, which goes on with an unfinished handshake (ossl_close):
    /// a token is asked while the transfer runs, and at no other time.
    private var isRunning = false

    /// How far the client has got with showing who it is.
    private enum Proof {
        case none
        /// The certificate has been given to TLS.
        case certificate
        /// The signature was asked for.
        case signature
    }

    /// The one that ended TLS.
    private var alert: TLSAlert?
    private var isTLS13 = false

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
        if request.clientKey != nil { try installClientTLS() }
        phaseBegan = .now
        defer { withExtendedLifetime(self) { handle.end() } }
        try handle.begin()
        while true {
            if let code = try run() { return try response(code) }
            if connection.isAbandoned { throw CancellationError() }
            let left = try remainingMilliseconds()
            try handle.wait(milliseconds: min(left, 100))  // short, so that an abandoned connection ends soon
        }
    }

    private func run() throws(TransportError) -> CURLcode? {
        isRunning = true
        defer { isRunning = false }
        return try handle.perform()
    }

    /// TLS stands: gets the late headers, which may take a human's time.
    fileprivate func connected() -> Bool {
        do {
            try requireProof()
            guard let order = connection.orderWhenOpen() else { throw CancellationError() }
            try lines.append(order.headers)
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

    /// The server asks for the client's certificate, and is known by its own.
    fileprivate func giveCertificate(to tls: UnsafeMutableRawPointer?) -> Bool {
        guard isRunning, failure == nil else { return false }
        do {
            _ = try remainingMilliseconds()  // libcurl closes a connection that it has given up while it runs
            guard let order = unsafe connection.orderWhenOpen(wish(of: tls)) else { throw CancellationError() }
            guard let identity = order.identity, let leaf = identity.chain.first else {
                throw TransportError.configuration("there is no client certificate for a server that asks for one")
            }
            // libcurl's clock has run on while a person was asked. From here on `remainingMilliseconds` is the limit.
            try handle.set(CURLOPT_CONNECTTIMEOUT_MS, Int(Int32.max))
            let context = unsafe Unmanaged.passUnretained(self).toOpaque()
            guard unsafe cclienttls_present(tls, leaf, leaf.count, context),
                identity.chain.dropFirst().allSatisfy({ unsafe cclienttls_add_issuer(tls, $0, $0.count) })
            else { throw TransportError.configuration("OpenSSL does not take the client certificate") }
            proof = .certificate
            phaseBegan = .now
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func wish(of tls: UnsafeMutableRawPointer?) -> CertificateRequest {
        isTLS13 = unsafe cclienttls_is_tls13(tls)
        let schemes = unsafe [UInt16](unsafeUninitializedCapacity: 32) { buffer, count in
            count = unsafe min(cclienttls_schemes(tls, buffer.baseAddress, buffer.count), buffer.count)
        }
        return CertificateRequest(host: url.host, isTLS13: isTLS13, schemes: Set(schemes))
    }

    fileprivate func note(_ alert: TLSAlert) { self.alert = alert }

    /// - Returns: Nil where there will be none, or it is not for what TLS has to have signed.
    fileprivate func sign(_ wanted: cclienttls_signature) -> [UInt8]? {
        guard isRunning, failure == nil else { return nil }
        let message = unsafe Array(UnsafeBufferPointer(start: wanted.message, count: wanted.length))
        guard let algorithm = SignatureScheme.Algorithm(rawValue: unsafe wanted.algorithm),
            let hash = SignatureScheme.Hash(rawValue: unsafe wanted.hash),
            let handshake = HandshakeSignature(scheme: SignatureScheme(algorithm, hash), message: message)
        else {
            failure = TransportError.protocolViolation(
                "TLS wants something signed that is no CertificateVerify, or that of a very long handshake")
            return nil
        }
        proof = .signature
        let signature = connection.signature(handshake)
        if signature == nil { failure = CancellationError() }
        phaseBegan = .now
        return signature
    }

    private func requireProof() throws(TransportError) {
        guard request.clientKey != nil else { return }
        switch proof {
        case .none: throw .tls(.asksForNoCertificate, host: url.host)
        case .certificate: throw .tls(.noCommonSignature, host: url.host)
        case .signature: break
        }
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
        // After the client's signature the server is known to be there: it owes an answer.
        return .timedOut(isLookingUp ? .nameLookup : proof == .signature ? .answer : phase, host: url.host)
    }

    private func response(_ code: CURLcode) throws -> HTTPResponse {
        if let failure = failure ?? collector.failure { throw failure }
        if code == CURLE_OPERATION_TIMEDOUT { throw timeout }
        if code == CURLE_COULDNT_CONNECT, handle.errorDescription.holds(text: ProxyOfEnvironment.refused) {
            throw TransportError.tlsProxy
        }
        if code != CURLE_OK {
            throw explained(TransportError(code, of: handle, host: url.host, whileConnecting: phase == .connect))
        }
        guard collector.hasHeaders else { throw explained(.truncated) }
        let answer = phaseBegan.duration(to: .now)
        return HTTPResponse(
            status: collector.status, headers: collector.headers, body: collector.body,
            timings: HTTPTimings(
                connect: handle.microseconds(CURLINFO_CONNECT_TIME_T),
                appConnect: handle.microseconds(CURLINFO_APPCONNECT_TIME_T),
                answer: Int64(answer / .microseconds(1)), total: handle.microseconds(CURLINFO_TOTAL_TIME_T)))
    }

    /// The same, told as what it means to a client with a certificate. TLS 1.3 judges it after the client's last word.
    private func explained(_ error: TransportError) -> TransportError {
        guard let key = request.clientKey, collector.status == 0 else { return error }
        switch error {
        case .protocolViolation, .tooLarge, .configuration, .tlsProxy: return error  // TLS is not at fault
        default: break
        }
        switch proof {
        case .none where key == .rsaWithoutPSS && alert == .protocolVersion: return .tls(.wantsTLS13, host: url.host)
        case .none: return error
        case .certificate: return .tls(.noCommonSignature, host: url.host)
        case .signature:
            guard let alert else { return .tls(.hungUp, host: url.host) }
            // The handshake of TLS 1.3 is over for the client before it is over for the server.
            let isOfHandshake =
                phase == .connect || alert.isAboutCertificate || (isTLS13 && alert == .handshakeFailure)
            return .tls(isOfHandshake ? .refusedCertificate(alert) : .ended(alert), host: url.host)
        }
    }

    private func installClientTLS() throws(TransportError) {
        guard ClientTLS.isLoaded else {
            throw .configuration("OpenSSL does not take Tokenward's provider: see default_properties in openssl.cnf")
        }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe handle.set(CURLOPT_SSL_CTX_DATA, pointer: context)
        try handle.check(
            unsafe ccurl_set_tls_callback(handle.easy) { _, settings, context in
                guard let transfer = unsafe Transfer.from(context) else { return CURLE_ABORTED_BY_CALLBACK }
                let name = transfer.url.verifiedName
                let isSet = unsafe cclienttls_prepare(
                    settings, name.text, name.isAddress, transfer.request.clientKey == .rsaWithoutPSS, context)
                return isSet ? CURLE_OK : CURLE_SSL_CONNECT_ERROR
            })
    }

    /// The pointer is borrowed: callbacks run inside `perform`, which ends the transfer.
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

    fileprivate static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private static func copy(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int) -> [UInt8]? {
        let (total, overflow) = size.multipliedReportingOverflow(by: count)
        guard !overflow, let bytes = unsafe bytes else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: total))
    }
}

/// The provider of keys that are elsewhere, in this process's OpenSSL.
private enum ClientTLS {
    static let isLoaded = cclienttls_load(
        unsafe cclienttls_callbacks(
            certificate: { context, tls in unsafe Transfer.from(context)?.giveCertificate(to: tls) ?? false },
            alert: { context, number in unsafe Transfer.from(context)?.note(TLSAlert(rawValue: number)) },
            sign: { context, wanted, place, capacity in
                guard let wanted = unsafe wanted, let place = unsafe place,
                    let signature = unsafe Transfer.from(context)?.sign(wanted.pointee), signature.count <= capacity
                else { return 0 }
                unsafe place.update(from: signature, count: signature.count)
                return signature.count
            }))
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
        try configureConnection(to: url, limits, hasCertificate: request.clientKey != nil)
        try configureTLS(caBundle: request.caBundle)
    }

    private func configureConnection(
        to url: RequestURL, _ limits: HTTPLimits, hasCertificate: Bool
    ) throws(TransportError) {
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, limits.connectMilliseconds)
        try set(CURLOPT_QUICK_EXIT, 1)  // a name server that hangs must not hold up the end of the transfer
        try set(CURLOPT_FRESH_CONNECT, 1)
        try set(CURLOPT_FORBID_REUSE, 1)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // An empty text turns the environment's proxies off; unset, libcurl reads https_proxy, all_proxy and no_proxy.
        if url.isLoopback {
            try set(CURLOPT_PROXY, "")
        } else if hasCertificate, ProxyOfEnvironment.isOverTLS {
            // TLS with the proxy would be set up as that with the service is, client certificate and all.
            try set(CURLOPT_PROXY, ProxyOfEnvironment.refused)
        }
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
