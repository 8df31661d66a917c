import CCurl
import Encodings

/// Why there is no answer.
package enum TransportError: Error, Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case nameLookup
        /// TCP, proxy and TLS.
        case connect
        case answer
    }

    package enum Part: Hashable, Sendable {
        case headers
        case body
    }

    package enum TLSFault: Hashable, Sendable {
        case wrongName
        case unknownAuthority
        case expired
        case notYetValid
        /// It asks for no client certificate, where it should.
        case asksForNoCertificate
        /// It takes no signature that the client's key makes.
        case noCommonSignature
        /// TLS 1.2 is all that the client's key can do (`ClientKey.rsaWithoutPSS`), and the server does not take it.
        case wantsTLS13
        /// It has refused the client's certificate or signature.
        case refusedCertificate(TLSAlert)
        /// It ended TLS when the request was on its way, for a reason that is none of the handshake's.
        case ended(TLSAlert)
        /// It ended the connection after the client's signature was asked for.
        case hungUp
        /// In OpenSSL's words.
        case other(String)
    }

    /// The host has no address, or no name server answers.
    case resolve(host: String)
    case connect(host: String, reason: String)
    /// The proxy is not there (`nil`), or refused.
    case proxy(status: Int?)
    /// The environment's proxy is of scheme https, and the client has a certificate.
    case tlsProxy
    case tls(TLSFault, host: String)
    case timedOut(Phase, host: String)
    case tooLarge(Part)
    /// The connection ended before the answer did.
    case truncated
    case protocolViolation(String)
    /// The request cannot be made at all: an URL, a header, a CA bundle.
    case configuration(String)
}

extension TransportError {
    /// One line.
    package var message: String {
        switch self {
        case .resolve(let host): "the address of \(host) cannot be found"
        case .connect(let host, let reason): "no connection to \(host): \(reason)"
        case .proxy(nil): "the HTTP proxy cannot be reached"
        case .tlsProxy: "the environment's proxy is of scheme https: no client certificate goes through one"
        case .proxy(let status?): "the HTTP proxy refused with \(status)"
        case .tls(.wrongName, let host): "the server's certificate is not for \(host)"
        case .tls(.unknownAuthority, let host): "the certificate of \(host) is from an authority that is not trusted"
        case .tls(.expired, let host): "the certificate of \(host), or of its authority, has expired"
        case .tls(.notYetValid, let host): "the certificate of \(host) is not valid yet"
        case .tls(.asksForNoCertificate, let host): "\(host) asks for no client certificate"
        case .tls(.noCommonSignature, let host): "\(host) takes no TLS signature that the key makes"
        case .tls(.wantsTLS13, let host):
            "\(host) takes TLS 1.3 alone, which wants RSA-PSS signatures, and the key's token makes none"
        case .tls(.refusedCertificate(let alert), let host):
            "\(host) refused the client certificate in the TLS handshake: \(alert)"
        case .tls(.ended(let alert), let host): "\(host) ended TLS after the request: \(alert)"
        case .tls(.hungUp, let host): "\(host) ended the connection after the signature for it was asked for"
        case .tls(.other(let text), let host): "no TLS connection to \(host): \(text)"
        case .timedOut(.nameLookup, let host): "looking up \(host) took too long"
        case .timedOut(.connect, let host): "connecting to \(host) took too long"
        case .timedOut(.answer, let host): "the answer of \(host) took too long"
        case .tooLarge(.headers): "the headers of the answer are too large"
        case .tooLarge(.body): "the body of the answer is too large"
        case .truncated: "the connection ended before the answer did"
        case .protocolViolation(let text): "the answer is not valid HTTP: \(text)"
        case .configuration(let text): text
        }
    }

    /// A remedy, in one line.
    package var hint: String? {
        switch self {
        case .resolve, .timedOut(.nameLookup, _): "check the network, its name servers, and the endpoint's name"
        case .connect, .timedOut(.connect, _): "check the network, a firewall, and https_proxy"
        case .proxy(407): "the proxy wants credentials: write them into https_proxy of the agent's environment"
        case .tlsProxy:
            "in the agent's environment, set https_proxy to an http:// proxy, or name the endpoint's host in no_proxy"
        case .proxy: "check https_proxy and no_proxy in the agent's environment"
        case .tls(.asksForNoCertificate, _): "check endpoint: something else than the service may answer there"
        case .tls(.noCommonSignature, _): "use a key of another kind: P-256, P-384 or RSA 2048"
        case .tls(.wantsTLS13, _):
            "use an EC key, or a token whose module lists CKM_RSA_PKCS_PSS; or let the server take TLS 1.2"
        case .tls(.refusedCertificate(let alert), _): alert.hint
        case .tls(.ended, _):
            "check endpoint; a server that begins TLS anew after the request (renegotiation) is not served"
        case .tls(.hungUp, _): "it may wait no longer for a touch or a PIN, or not take the certificate: try again"
        case .tls(.wrongName, _), .tls(.other, _):
            "check endpoint; a captive portal or a proxy may answer in the service's place"
        case .tls(.unknownAuthority, _): "a proxy may open TLS; if that is meant, name its root in ca-bundle"
        case .tls(.expired, _), .tls(.notYetValid, _): "check the clock, then the server's certificate"
        case .timedOut(.answer, _), .truncated: "it is tried again by itself"
        case .tooLarge, .protocolViolation: "something else than the service may answer there: check endpoint"
        case .configuration: nil
        }
    }
}

extension TransportError {
    /// The error for a transfer's result code.
    ///
    /// - Parameter whileConnecting: Whether it came before the request could be sent.
    init(_ code: CURLcode, of handle: borrowing EasyHandle, host: String, whileConnecting: Bool) {
        let text =
            handle.errorDescription.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : handle.errorDescription
        let proxyStatus = handle.long(CURLINFO_HTTP_CONNECTCODE)
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: self = .resolve(host: host)
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: self = .proxy(status: nil)
        case CURLE_COULDNT_CONNECT: self = .connect(host: host, reason: text)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CIPHER,
            CURLE_SSL_INVALIDCERTSTATUS:
            self = .tls(TLSFault(code, verifyResult: handle.long(CURLINFO_SSL_VERIFYRESULT), text), host: host)
        case CURLE_SSL_CACERT_BADFILE: self = .configuration("the CA bundle cannot be read: \(text)")
        case CURLE_URL_MALFORMAT,
            CURLE_UNSUPPORTED_PROTOCOL where whileConnecting:
            self = .configuration(text)
        case CURLE_FILESIZE_EXCEEDED: self = .tooLarge(.body)
        // libcurl's own limit for one line of 100 KiB ends as "out of memory".
        case CURLE_OUT_OF_MEMORY where !whileConnecting: self = .tooLarge(.headers)
        case _ where whileConnecting && proxyStatus != 0 && proxyStatus / 100 != 2: self = .proxy(status: proxyStatus)
        case CURLE_RECV_ERROR where whileConnecting && text.holds(text: "Proxy CONNECT"): self = .proxy(status: nil)
        case _ where whileConnecting: self = .connect(host: host, reason: text)
        case CURLE_RECV_ERROR where text.holds(text: "chunked-encoding"): self = .protocolViolation(text)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR: self = .truncated
        default: self = .protocolViolation(text)
        }
    }
}

extension TransportError.TLSFault {
    /// - Parameter verifyResult: OpenSSL's `X509_V_ERR_` code (x509_verify_cert_error_string(3)).
    init(_ code: CURLcode, verifyResult: Int, _ text: String) {
        guard code == CURLE_PEER_FAILED_VERIFICATION else {
            self = .other(text)
            return
        }
        switch verifyResult {
        // libcurl compares the name itself, after OpenSSL, and has set no result then.
        case _ where text.holds(text: "target host name"): self = .wrongName
        case 62, 64: self = .wrongName  // found by OpenSSL, for clients with a certificate
        case 2, 18, 19, 20, 21: self = .unknownAuthority
        case 9: self = .notYetValid
        case 10: self = .expired
        default: self = .other(text)
        }
    }
}
