import Glibc
import PKCS11
import TokenService

extension LoadedModule {
    /// Opens a session.
    ///
    /// CKR_SESSION_COUNT is waited out for a second. A module that refuses a read-only session (CloudHSM before 5.5.0) is
    /// asked for a read-write one once, and then always.
    func openSession(in slot: Slot) throws(PKCS11Error) -> TokenSession {
        for milliseconds: useconds_t in [100, 300, 600] {
            do throws(PKCS11Error) {
                return try openSessionNow(in: slot)
            } catch .failed(_, .sessionCount) {
                usleep(milliseconds * 1000)
            }
        }
        do throws(PKCS11Error) {
            return try openSessionNow(in: slot)
        } catch .failed(_, .sessionCount) {
            closeIdleSessions()
            usleep(100_000)  // the other threads' to close theirs
            return try openSessionNow(in: slot)
        }
    }

    private func openSessionNow(in slot: Slot) throws(PKCS11Error) -> TokenSession {
        try opening { () throws(PKCS11Error) in
            let isReadWrite = opensReadWrite.withLock { $0 }
            do throws(PKCS11Error) {
                return try TokenSession(slot: slot, isReadWrite: isReadWrite)
            } catch {
                guard !isReadWrite, error.maySpeakAgainstReadOnly else { throw error }
                guard let session = try? TokenSession(slot: slot, isReadWrite: true) else { throw error }
                opensReadWrite.withLock { $0 = true }
                return session
            }
        }
    }
}

extension PKCS11Error {
    fileprivate var maySpeakAgainstReadOnly: Bool {
        guard let returnValue, returnValue != .sessionCount else { return false }
        if returnValue == ReturnValue.sessionReadOnly { return true }
        return !returnValue.saysTokenIsGone && !returnValue.saysModuleIsBroken && !returnValue.saysOutOfMemory
    }
}
