import COpenSSL
import X509

/// What one password-based encryption of a file is called, where it is implemented, and how much work it asks for.
struct PasswordEncryption {
    /// RC2 alone needs OpenSSL's legacy provider.
    let needsLegacyProvider: Bool
    /// Rounds of a hash; a scrypt's memory accesses, in units of 128 bytes, count as one each.
    let work: UInt64

    /// - Throws: Where it is none that is taken: by its name.
    init(_ algorithm: UnsafePointer<X509_ALGOR>?) throws(KeyFileError) {
        let identifier = unsafe Self.identifier(of: algorithm)
        switch identifier {
        case NID_pbes2:
            needsLegacyProvider = false
            work = try unsafe Self.pbes2Work(algorithm)
        case NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And2_Key_TripleDES_CBC,
            NID_pbe_WithSHA1And40BitRC2_CBC, NID_pbe_WithSHA1And128BitRC2_CBC:
            needsLegacyProvider =
                identifier == NID_pbe_WithSHA1And40BitRC2_CBC || identifier == NID_pbe_WithSHA1And128BitRC2_CBC
            work = try unsafe Self.parameters(
                of: algorithm, read: { unsafe d2i_PBEPARAM(nil, &$0, $1) }, freedBy: { unsafe PBEPARAM_free($0) }
            ) { unsafe Self.number($0.pointee.iter) }
        default: throw .unsupportedEncryption(unsafe Self.name(of: algorithm))
        }
    }

    private static func pbes2Work(_ algorithm: UnsafePointer<X509_ALGOR>?) throws(KeyFileError) -> UInt64 {
        let ciphers = [NID_aes_128_cbc, NID_aes_192_cbc, NID_aes_256_cbc, NID_des_ede3_cbc]
        return try unsafe parameters(
            of: algorithm, read: { unsafe d2i_PBE2PARAM(nil, &$0, $1) }, freedBy: { unsafe PBE2PARAM_free($0) }
        ) { (parameters) throws(KeyFileError) in
            guard unsafe ciphers.contains(identifier(of: parameters.pointee.encryption)) else {
                throw .unsupportedEncryption(unsafe name(of: parameters.pointee.encryption))
            }
            let derivation = unsafe UnsafePointer(parameters.pointee.keyfunc)
            switch unsafe identifier(of: derivation) {
            case NID_id_pbkdf2:
                return try unsafe Self.parameters(
                    of: derivation, read: { unsafe d2i_PBKDF2PARAM(nil, &$0, $1) },
                    freedBy: { unsafe PBKDF2PARAM_free($0) }
                ) { unsafe number($0.pointee.iter) }
            case NID_id_scrypt:
                return try unsafe Self.parameters(
                    of: derivation, read: { unsafe d2i_SCRYPT_PARAMS(nil, &$0, $1) },
                    freedBy: { unsafe SCRYPT_PARAMS_free($0) }
                ) { scrypt in
                    // N × r × p of RFC 7914, each twice.
                    unsafe [
                        number(scrypt.pointee.costParameter), number(scrypt.pointee.blockSize),
                        number(scrypt.pointee.parallelizationParameter),
                    ].reduce(2, saturatingProduct)
                }
            default: throw .unsupportedEncryption(unsafe name(of: derivation))
            }
        }
    }

    private static func saturatingProduct(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (product, isTooLarge) = left.multipliedReportingOverflow(by: right)
        return isTooLarge ? .max : product
    }

    /// As many as there can be where it is no number of this machine's.
    static func number(_ integer: UnsafePointer<ASN1_INTEGER>?) -> UInt64 {
        var number: UInt64 = 0
        return unsafe ASN1_INTEGER_get_uint64(&number, integer) == 1 ? number : .max
    }

    private static func identifier(of algorithm: UnsafePointer<X509_ALGOR>?) -> Int32 {
        unsafe algorithm.map { unsafe OBJ_obj2nid($0.pointee.algorithm) } ?? NID_undef
    }

    /// OpenSSL's name, or the object identifier.
    private static func name(of algorithm: UnsafePointer<X509_ALGOR>?) -> String {
        let identifier = unsafe identifier(of: algorithm)
        if identifier != NID_undef, let name = unsafe OBJ_nid2sn(identifier) { return unsafe String(cString: name) }
        return unsafe dottedText(algorithm?.pointee.algorithm)
    }

    /// Reads an algorithm's parameters, lends them to `body`, and frees them.
    private static func parameters<Parameters, Result>(
        of algorithm: UnsafePointer<X509_ALGOR>?,
        read: (inout UnsafePointer<UInt8>?, Int) -> UnsafeMutablePointer<Parameters>?,
        freedBy free: (UnsafeMutablePointer<Parameters>?) -> Void,
        _ body: (UnsafeMutablePointer<Parameters>) throws(KeyFileError) -> Result
    ) throws(KeyFileError) -> Result {
        guard let value = unsafe algorithm?.pointee.parameter, unsafe value.pointee.type == V_ASN1_SEQUENCE,
            let sequence = unsafe value.pointee.value.sequence
        else { throw .malformed(reason: "no parameters of the encryption") }
        var cursor = unsafe ASN1_STRING_get0_data(sequence)
        let parameters = unsafe read(&cursor, Int(ASN1_STRING_length(sequence)))
        guard let parameters = unsafe parameters else { throw .malformed(reason: firstErrorReason()) }
        defer { unsafe free(parameters) }
        return try unsafe body(parameters)
    }
}

/// How much work a file's passwords may ask for in all: a hostile one must not occupy the machine.
package struct WorkBudget {
    /// OpenSSL writes 2,048 rounds, Java 10,000, NSS 600,000; OWASP asked in 2023 for 1,300,000 at most. Each of those is
    /// asked for up to three times: for the MAC, the key and the certificates. Five million take two seconds, and ten times
    /// that on a slow machine, of the three minutes that a management command may take.
    package static let largest: UInt64 = 5_000_000

    private let most: UInt64
    private var spent: UInt64 = 0

    init(_ most: UInt64) { self.most = most }

    /// - Throws: `.tooCostly`, with the sum.
    mutating func spend(_ work: UInt64) throws(KeyFileError) {
        let (sum, isTooLarge) = spent.addingReportingOverflow(work)
        spent = isTooLarge ? .max : sum
        guard spent <= most else {
            throw .tooCostly(isTooLarge ? "more than \(UInt64.max) rounds" : "\(spent) rounds")
        }
    }
}
