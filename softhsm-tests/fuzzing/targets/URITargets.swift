import AWSNames
import PKCS11URI

extension Target {
    /// PKCS#11 URIs: what is printed can be read again, and is the same; its token's part matches no less.
    static let uris = Target(name: "uris") { bytes in
        guard let text = bytes.text, let uri = try? PKCS11URI(text) else { return }
        let printed = uri.description
        require(printed.utf8.allSatisfy { 0x21...0x7E ~= $0 }, printed)
        require((try? PKCS11URI(printed)) == uri, printed)
        require((try? PKCS11URI(uri.tokenPart.description)) == uri.tokenPart, printed)
        if let digits = uri.withIDAsDigits { require((try? PKCS11URI(digits.description)) == digits, printed) }
    }

    /// ARNs: what is printed is what was read.
    static let arns = Target(name: "arns") { bytes in
        guard let text = bytes.text else { return }
        do throws(RequestFault) {
            let arn = try ARN(text)
            require(arn.description == text, text)
            require((try? ARN(arn.description)) == arn, text)
        } catch {
            require(error.message.isOneHarmlessLine, error.message)
        }
    }

    /// Endpoints given by hand: plaintext for loopback alone, and nothing that would have to be escaped.
    static let endpoints = Target(name: "endpoints") { bytes in
        guard let text = bytes.text else { return }
        do throws(RequestFault) {
            let endpoint = try Endpoint(override: text)
            let url = "\(endpoint.isPlaintext ? "http" : "https")://\(endpoint.host)\(endpoint.basePath)"
            require(url.utf8.allSatisfy { 0x21...0x7E ~= $0 && !"@?#%\\\"<>".utf8.contains($0) }, url)
            require((try? Endpoint(override: url)) == endpoint, url)
            let isLocal = ["127.", "[::1]", "localhost"].contains { endpoint.host.hasPrefix($0) }
            require(!endpoint.isPlaintext || isLocal, url)
        } catch {
            require(error.message.isOneHarmlessLine, error.message)
        }
    }
}
