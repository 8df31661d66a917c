import COpenSSL

/// The blocks of one type in a PEM text, as DER.
enum PEMFile {
    /// - Returns: The contents in the order of the text; nil when the text has a damaged block.
    static func blocks(of type: String, in text: [UInt8]) -> [[UInt8]]? {
        guard let source = unsafe BIO_new_mem_buf(text, Int32(clamping: text.count)) else { return nil }
        defer {
            unsafe BIO_free(source)
            ERR_clear_error()
        }
        var blocks: [[UInt8]] = []
        while true {
            var name: UnsafeMutablePointer<CChar>?
            var header: UnsafeMutablePointer<CChar>?
            var data: UnsafeMutablePointer<UInt8>?
            var length = 0
            guard unsafe PEM_read_bio(source, &name, &header, &data, &length) == 1 else {
                // Nothing more to read is how every file ends; anything else is a block that cannot be read.
                let reason = Int32(truncatingIfNeeded: ERR_peek_last_error() & 0x7FFFFF)
                return reason == PEM_R_NO_START_LINE ? blocks : nil
            }
            defer {
                unsafe CRYPTO_free(name, #file, #line)
                unsafe CRYPTO_free(header, #file, #line)
                unsafe CRYPTO_free(data, #file, #line)
            }
            guard let name = unsafe name, let data = unsafe data, unsafe String(cString: name) == type else { continue }
            unsafe blocks.append(Array(UnsafeBufferPointer(start: data, count: length)))
        }
    }
}
