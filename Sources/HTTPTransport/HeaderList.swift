import CCurl

/// Header lines as libcurl takes them; libcurl does not copy them.
@safe struct HeaderList: ~Copyable {
    private(set) var head: UnsafeMutablePointer<curl_slist>?

    init() { unsafe head = nil }

    deinit { unsafe curl_slist_free_all(head) }

    mutating func append(_ line: String) throws(TransportError) {
        guard let extended = unsafe curl_slist_append(head, line) else { throw .configuration("out of memory") }
        unsafe head = extended
    }

    mutating func append(_ headers: [HTTPHeader]) throws(TransportError) {
        for header in headers {
            guard let line = header.line else {
                throw .configuration(
                    "header \(header.name.prefix(64).debugDescription) is empty or holds control characters")
            }
            try append(line)
        }
    }
}
