import CCurl

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
        case CURLE_RECV_ERROR where whileConnecting && text.contains("Proxy CONNECT"): self = .proxy(status: nil)
        case _ where whileConnecting: self = .connect(host: host, reason: text)
        case CURLE_RECV_ERROR where text.contains("chunked-encoding"): self = .protocolViolation(text)
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
        case _ where text.contains("target host name"): self = .wrongName
        case 2, 18, 19, 20, 21: self = .unknownAuthority
        case 9: self = .notYetValid
        case 10: self = .expired
        default: self = .other(text)
        }
    }
}
