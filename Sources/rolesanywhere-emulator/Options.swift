import ArgumentParser
import Emulator

struct ResourceOptions: ParsableArguments {
    @Option(help: "Trust anchors, profiles and roles as JSON; read again on SIGHUP.")
    var config: String?

    @Option(help: "Instead of --config: the CA of one trust anchor, with one profile and one role of fixed names.")
    var trustAnchorPem: String?

    @Option(help: "The region of the fixed names.")
    var region = "us-east-1"

    @Option(help: "The account of the fixed names.")
    var account = "111122223333"

    @Flag(name: .customLong("print-arns"), help: "Print the fixed names as JSON and exit.")
    var printARNs = false

    var names: DemoNames { DemoNames(region: region, account: account) }

    func check() throws {
        guard printARNs || (config == nil) != (trustAnchorPem == nil) else {
            throw ValidationError("give either --config or --trust-anchor-pem")
        }
        let digits = "0123456789"
        let isRegion = !region.isEmpty && region.allSatisfy(("abcdefghijklmnopqrstuvwxyz-" + digits).contains)
        guard isRegion, account.utf8.count == 12, account.allSatisfy(digits.contains) else {
            throw ValidationError("--region or --account is not one: a region is like us-east-1, an account 12 digits")
        }
    }

    func load() throws -> EmulatorConfiguration {
        if let config { return try EmulatorConfiguration(file: config) }
        return try EmulatorConfiguration(trustAnchorPEM: trustAnchorPem ?? "", names: names)
    }
}

struct ListeningOptions: ParsableArguments {
    @Option(help: "The port on 127.0.0.1; 0 for any.")
    var port = 0

    @Option(help: "A folder for the emulator's own server CA, made if missing; clients trust its ca.pem.")
    var state: String?

    @Option(help: "Instead of --state: the server's certificates, PEM.")
    var tlsCert: String?

    @Option(help: "The key to --tls-cert, PEM.")
    var tlsKey: String?

    @Option(help: "A name for the server's certificate in place of 127.0.0.1 and localhost, to be wrong on purpose.")
    var tlsName: String?

    @Flag(help: "Plain HTTP.")
    var plain = false

    func check() throws {
        guard [plain, state != nil, tlsCert != nil].filter({ $0 }).count == 1, (tlsCert == nil) == (tlsKey == nil)
        else { throw ValidationError("give one of --state, --tls-cert with --tls-key, and --plain") }
        guard (0...65_535).contains(port) else { throw ValidationError("--port is from 0 to 65535") }
    }

    /// Nil where certificates are given, with whatever names.
    var hostNames: Set<String>? {
        tlsCert == nil ? tlsName.map { [$0.lowercased()] } ?? ["127.0.0.1", "localhost"] : nil
    }

    func tlsFiles() throws -> TLSFiles? {
        if plain { return nil }
        if let tlsCert, let tlsKey { return try TLSFiles.read(certificates: tlsCert, key: tlsKey) }
        let names = tlsName.map { ["DNS:\($0)"] } ?? ["IP:127.0.0.1", "DNS:localhost"]
        return try ServerAuthority.open(folder: state ?? ".").makeServer(names: names)
    }
}

struct IoTOptions: ParsableArguments {
    @Option(help: "The port of IoT's credential provider, which wants client certificates; 0 for any.")
    var iotPort: Int?

    @Option(
        name: .customLong("iot-tls"),
        help: ArgumentHelp("The only version of TLS there: 1.2 or 1.3.", valueName: "version"),
        transform: { text in
            guard let version = ClientRules.Version(rawValue: text) else {
                throw ValidationError("'\(text)' is neither 1.2 nor 1.3")
            }
            return version
        })
    var iotTLS: ClientRules.Version?

    @Option(help: "The only algorithms there for clients' signatures, such as ecdsa_secp256r1_sha256.")
    var iotSignature: [String] = []

    func check(_ listening: ListeningOptions) throws {
        guard let iotPort else {
            guard iotTLS == nil, iotSignature.isEmpty else { throw ValidationError("give --iot-port as well") }
            return
        }
        guard (0...65_535).contains(iotPort), !listening.plain else {
            throw ValidationError("--iot-port is from 0 to 65535, and wants TLS: --state or --tls-cert")
        }
    }

    func rules() throws -> ClientRules { try ClientRules(version: iotTLS, algorithms: iotSignature) }
}

struct FaultOptions: ParsableArguments {
    @Option(help: "Wait this long before each answer to CreateSession.")
    var latencyMs = 0

    @Option(help: "Throttle CreateSession above this many requests a second.")
    var rate: Int?

    @Option(help: "Seconds by which the emulator's clock is off.")
    var clockOffset = 0

    @Option(
        help: ArgumentHelp("A fault for every CreateSession.", valueName: "KIND[:ARGUMENT]"),
        transform: { text in
            guard let fault = Fault(argument: text) else { throw ValidationError("'\(text)' is no fault") }
            return fault
        })
    var fault: [Fault] = []

    func validate() throws {
        guard (0...600_000).contains(latencyMs), (1...1_000_000).contains(rate ?? 1),
            abs(clockOffset) <= 1_000_000_000
        else { throw ValidationError("--latency-ms, --rate or --clock-offset is out of range") }
    }
}

struct EndingOptions: ParsableArguments {
    @Flag(help: "End when standard input ends, so that nothing outlives a test.")
    var exitWithStdin = false

    @Option(help: "End after this many seconds.")
    var lifetime: Int?
}
