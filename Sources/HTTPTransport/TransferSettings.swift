import CCurl

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
        try set(CURLOPT_MAXFILESIZE_LARGE, offset: limits.bodyBytes)
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
