import CRefusedSockets
import Glibc
import TokenService

extension ModuleLoad {
    /// What to add to a module's error when it is initialised or looks for tokens: what this process has seen it miss, and
    /// nothing where it has seen nothing.
    var advice: String {
        if let missing = missingTPM { return "; \(missing)" }
        guard !walls.hasNetwork, crefusedsockets_any() != 0 else { return "" }
        return
            "; it looked for the network, which it does not have: if it needs it, write network = true in its [[module]]"
    }

    /// Why tpm2-pkcs11 has no TPM, where it looks for a device: without one it tries a simulator's network address as well.
    private var missingTPM: String? {
        guard path.split(separator: "/").last?.hasPrefix("libtpm2_pkcs11") == true else { return nil }
        // TPM2_PKCS11_TCTI of tpm2-pkcs11's INITIALIZING.md, such as `device:/dev/tpmrm0`
        let way = unsafe getenv("TPM2_PKCS11_TCTI").map { unsafe String(cString: $0) } ?? ""
        guard way.isEmpty || way == "device" || way.hasPrefix("device:") else { return nil }
        let devices =
            way.hasPrefix("device:/") ? [String(way.dropFirst("device:".count))] : ["/dev/tpmrm0", "/dev/tpm0"]
        let present = devices.filter { unsafe access($0, F_OK) == 0 }
        guard let device = present.first else { return "there is no TPM here: \(devices[0]) does not exist" }
        guard !present.contains(where: { unsafe access($0, R_OK | W_OK) == 0 }) else { return nil }
        return
            "\(device) is closed to the agent's user: add the user to the device's group, which is tss on most systems"
    }
}
