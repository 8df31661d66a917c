import Encodings

/// The CA of the certificates that AWS IoT issues by itself.
package enum IoTIssuer {
    /// What to do with such a certificate in a profile of Roles Anywhere. One line, about "it".
    package static let advice =
        "AWS IoT issued it, and IoT's CA can be no trust anchor of Roles Anywhere; use source = \"iot-core\" for it, or a "
        + "certificate of a CA of your own"

    /// - Parameter issuer: The certificate's issuer as text. IoT's is one attribute, OU, that reads like a whole name:
    ///   `OU = Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US`.
    package static func isNamed(by issuer: String) -> Bool {
        issuer.holds(text: "Amazon Web Services O") && issuer.holds(text: "Amazon.com Inc.")
    }
}
