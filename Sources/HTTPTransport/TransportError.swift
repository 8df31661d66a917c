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
        /// In OpenSSL's words.
        case other(String)
    }

    /// The host has no address, or no name server answers.
    case resolve(host: String)
    case connect(host: String, reason: String)
    /// The proxy is not there (`nil`), or refused.
    case proxy(status: Int?)
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
        case .proxy(let status?): "the HTTP proxy refused with \(status)"
        case .tls(.wrongName, let host): "the server's certificate is not for \(host)"
        case .tls(.unknownAuthority, let host): "the certificate of \(host) is from an authority that is not trusted"
        case .tls(.expired, let host): "the certificate of \(host), or of its authority, has expired"
        case .tls(.notYetValid, let host): "the certificate of \(host) is not valid yet"
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
        case .proxy: "check https_proxy and no_proxy in the agent's environment"
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
