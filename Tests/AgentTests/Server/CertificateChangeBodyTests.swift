import AgentAPI
import Testing

@testable import Agent

@Suite struct CertificateChangeBodyTests {
    @Test(
        "A body without a certificate is refused, and nothing of it quoted",
        arguments: [
            "{}", "", #"{"file":""}"#, #"{"file":"quoted"}"#, #"{"file":1}"#, #"{"key":"pkcs11:object=quoted"}"#,
            #"{"file":"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"}"#,
            #"{"file":"-----BEGIN PRIVATE KEY-----\nquoted\n-----END PRIVATE KEY-----\n"}"#,
            #"{"file":"","other":"quoted"}"#,
        ])
    func install(_ text: String) { refused { () throws(Problem) in try CertificateInstallBody(Array(text.utf8).span) } }

    @Test(
        "A removal names a URI and a certificate",
        arguments: [
            "{}", #"{"uri":"pkcs11:object=quoted"}"#, #"{"certificate":""}"#,
            #"{"uri":"pkcs11:","certificate":"quoted"}"#,
        ])
    func removal(_ text: String) { refused { () throws(Problem) in try CertificateRemovalBody(Array(text.utf8).span) } }

    private func refused(_ read: () throws(Problem) -> some Sendable) {
        do throws(Problem) {
            _ = try read()
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .badRequest)
            #expect(!error.detail.contains("quoted"))
        }
    }
}
