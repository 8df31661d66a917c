/// Whether a request shows that its caller has a device (STS API reference, `SerialNumber` and `TokenCode`).
struct MFACheck {
    let caller: Caller
    let now: UTCTime

    /// - Parameter take: Takes a code's step; false where it was taken before.
    /// - Returns: Whether a device was shown. Nothing of it is asked of a caller that gives neither serial nor code.
    func passes(
        _ parameters: STSParameters, take: (Int64, MFADevice) -> Bool
    ) throws(STSError) -> Bool {
        let serial = try parameters.text("SerialNumber", 9...256, "+=/:,.@-")
        let code = parameters.form["TokenCode"]
        if serial == nil, code == nil { return false }
        guard let serial, let code else {
            throw .accessDenied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
        }
        guard code.utf8.count == 6, code.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            // The code is a secret even when it is wrong.
            throw .invalid("…", at: "tokenCode", "satisfy regular expression pattern: [\\d]*")
        }
        guard case .user(let user) = caller, let device = user.mfa, device.serial == serial else {
            throw .accessDenied(
                "MultiFactorAuthentication failed, unable to validate MFA code.  "
                    + "Please verify your MFA serial number is valid and associated with this user.")
        }
        guard let step = device.step(of: code, at: now), take(step, device) else {
            throw .accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
        }
        return true
    }
}
