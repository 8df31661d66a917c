import CCurl

/// A libcurl easy handle in a multi handle of its own.
///
/// Neither outlives its exchange: no connection, TLS session or name is used again, so no request can go out on what
/// another identity opened.
@safe struct EasyHandle: ~Copyable {
    /// Borrowed by the callbacks, which run inside `perform` and `end`.
    let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>

    /// `curl_global_init` happens once, before the first handle.
    private static let initialized = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init() throws(TransportError) {
        guard Self.initialized, let easy = unsafe curl_easy_init() else {
            throw .configuration("libcurl cannot be initialized")
        }
        guard let multi = unsafe curl_multi_init() else {
            unsafe curl_easy_cleanup(easy)
            throw .configuration("libcurl cannot be initialized")
        }
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe (self.easy, self.multi) = (easy, multi)
    }

    deinit {
        end()
        unsafe curl_easy_cleanup(easy)
        unsafe curl_multi_cleanup(multi)
        unsafe errorText.deallocate()
    }

    /// libcurl's message about the failure, or an empty one.
    var errorDescription: String { unsafe String(cString: errorText) }

    func set(_ option: CURLoption, _ value: Int) throws(TransportError) {
        try check(unsafe ccurl_set_long(easy, option, value))
    }

    /// libcurl copies the text.
    func set(_ option: CURLoption, _ value: String?) throws(TransportError) {
        guard value?.utf8.contains(0) != true else { throw .configuration("a setting holds a NUL") }
        try check(unsafe ccurl_set_string(easy, option, value))
    }

    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) throws(TransportError) {
        try check(unsafe ccurl_set_pointer(easy, option, pointer))
    }

    /// libcurl copies the bytes.
    func set(postFields bytes: [UInt8]) throws(TransportError) {
        try set(CURLOPT_POSTFIELDSIZE, bytes.count)
        var bytes = bytes
        let code = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, buffer.baseAddress)
        }
        try check(code)
    }

    func check(_ code: CURLcode) throws(TransportError) {
        guard code != CURLE_OK else { return }
        throw .configuration("libcurl does not take a setting: \(unsafe String(cString: curl_easy_strerror(code)))")
    }

    /// Hands the transfer to the multi handle, once all is set.
    func begin() throws(TransportError) {
        try unsafe set(CURLOPT_ERRORBUFFER, pointer: UnsafeMutableRawPointer(errorText))
        guard unsafe curl_multi_add_handle(multi, easy) == CURLM_OK else {
            throw .configuration("libcurl cannot be started")
        }
    }

    /// Does what can be done without waiting.
    ///
    /// - Returns: The transfer's result once it has ended.
    func perform() throws(TransportError) -> CURLcode? {
        var running: Int32 = 0
        guard unsafe curl_multi_perform(multi, &running) == CURLM_OK else {
            throw .configuration("libcurl failed: curl_multi_perform")
        }
        var result = CURLE_OK
        return unsafe ccurl_take_result(multi, &result) == 1 ? result : nil
    }

    /// Closes the connection, if there is one, while those whom the callbacks call are still there.
    func end() {
        unsafe curl_multi_remove_handle(multi, easy)
    }

    /// Waits until there is something to do, or for so long.
    func wait(milliseconds: Int) throws(TransportError) {
        guard unsafe curl_multi_poll(multi, nil, 0, Int32(clamping: milliseconds), nil) == CURLM_OK else {
            throw .configuration("libcurl failed: curl_multi_poll")
        }
    }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        return unsafe ccurl_get_long(easy, info, &value) == CURLE_OK ? value : 0
    }

    func microseconds(_ info: CURLINFO) -> Int64 {
        var value: curl_off_t = 0
        return unsafe ccurl_get_offset(easy, info, &value) == CURLE_OK ? Int64(value) : 0
    }
}
