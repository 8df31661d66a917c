import COpenSSL

/// An object of libcrypto's with one owner, freed when that owner lets go.
@safe package struct Owned: ~Copyable {
    private let pointer: OpaquePointer
    private let free: (OpaquePointer?) -> Void

    /// Nil where libcrypto gave nothing.
    package init?(_ pointer: OpaquePointer?, freedBy free: @escaping (OpaquePointer?) -> Void) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = pointer
        unsafe self.free = free
    }

    deinit { unsafe free(pointer) }

    /// Lends the pointer for the length of `body`: it must not leave it.
    package borrowing func use<Result: ~Copyable, Failure: Error>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(pointer)
    }
}

/// Runs `body` with this thread's OpenSSL error queue empty before and after.
///
/// Other users of libcrypto in the process, PKCS#11 modules above all, leave errors behind that we would report as ours.
package func withCleanErrorQueue<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
{
    ERR_clear_error()
    defer { ERR_clear_error() }
    return try body()
}

/// An algorithm that every certificate needs and this process's libcrypto lacks; nil if all are there. A configuration
/// that activates a provider which is not installed, as FIPS set-ups may, leaves none: that is no certificate's fault.
let missingAlgorithm: String? = withCleanErrorQueue {
    guard unsafe Owned(EVP_MD_fetch(nil, "SHA2-256", nil), freedBy: { unsafe EVP_MD_free($0) }) != nil else {
        return "SHA-256"
    }
    for name in ["RSA", "EC"] {
        let key = unsafe Owned(EVP_KEYMGMT_fetch(nil, name, nil), freedBy: { unsafe EVP_KEYMGMT_free($0) })
        guard key != nil else { return name }
    }
    return nil
}

/// OpenSSL's words for the first error in the queue, which is the one nearest to the cause.
package func firstErrorReason() -> String {
    guard let text = unsafe ERR_reason_error_string(ERR_peek_error()) else { return "no reason given" }
    return unsafe String(cString: text)
}

/// The bytes that one of OpenSSL's `i2d` functions writes: called with nil for their number, then with a place for them.
package func derBytes(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
    let count = encode(nil)
    guard count > 0 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
        var cursor = buffer.baseAddress
        initialized = Int(max(0, unsafe encode(&cursor)))
    }
}

/// A copy of an ASN.1 string's content.
func contents(_ string: UnsafePointer<ASN1_STRING>?) -> [UInt8]? {
    guard let string = unsafe string, let data = unsafe ASN1_STRING_get0_data(string) else { return nil }
    return unsafe [UInt8](UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(string))))
}

/// An object identifier in dotted decimal; empty where it has more than 127 characters, which no algorithm has.
package func dottedText(_ object: OpaquePointer?) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    let count = unsafe OBJ_obj2txt(&buffer, Int32(buffer.count), object, 1)
    guard count > 0, count < buffer.count else { return "" }
    return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A number of OpenSSL's as unsigned big-endian bytes without leading zeros, or left-padded to `width`.
package func bigEndianBytes(_ number: borrowing Owned, width: Int? = nil) -> [UInt8] {
    unsafe number.use { number in
        let count = max(width ?? 0, Int(unsafe (BN_num_bits(number) + 7) / 8))
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let written = unsafe BN_bn2binpad(number, buffer.baseAddress, Int32(count))
            initialized = Int(max(0, written))
        }
    }
}
