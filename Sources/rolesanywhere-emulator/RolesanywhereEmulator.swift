import ArgumentParser
import Emulator
import Glibc

@main
struct RolesanywhereEmulator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rolesanywhere-emulator",
        abstract: "A local IAM Roles Anywhere and STS endpoint that checks what the real ones check.",
        discussion: """
            It answers POST /sessions (CreateSession), and for the credentials that it has issued and the users of its \
            configuration STS AssumeRole, GetSessionToken and GetCallerIdentity, on 127.0.0.1. With --iot-port it is \
            IoT Core's credential provider as well, at a port of its own. The credentials open nothing. Answers whose words are not known from the real service carry \
            the header x-emulator-invention. With --trust-anchor-pem the profile takes session names and allows twelve \
            hours.

            Faults: \(Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")). Tests set them with PUT \
            /_emulator/faults, and read GET /_emulator/counters and GET /_emulator/last.
            """)

    @OptionGroup(title: "Resources") var resources: ResourceOptions
    @OptionGroup(title: "Listening") var listening: ListeningOptions
    @OptionGroup(title: "IoT") var iot: IoTOptions
    @OptionGroup(title: "Faults") var faults: FaultOptions
    @OptionGroup(title: "Ending") var ending: EndingOptions

    func validate() throws {
        try resources.check()
        // The names alone need no options for listening.
        guard !resources.printARNs else { return }
        try listening.check()
        try iot.check(listening)
    }

    func run() throws {
        if resources.printARNs {
            print(resources.names.json)
            return
        }
        // Before the server's threads start: they inherit this thread's mask.
        let signals = EndingSignals()
        let service = EmulatorService(try configuration())
        let tls = try listening.tlsFiles()
        let server = try start(service, port: listening.port, tls: tls)
        print("listening on \(listening.plain ? "http" : "https")://127.0.0.1:\(server.port)")
        if let port = iot.iotPort {
            let provider = try start(service, port: port, tls: tls, clients: try iot.rules())
            print("iot listening on https://127.0.0.1:\(provider.port)")
        }
        fflush(nil)
        if ending.exitWithStdin { signals.endWithStandardInput() }

        let deadline = ending.lifetime.map { ContinuousClock.now + .seconds($0) }
        while signals.next(until: deadline) == .reload {
            do {
                service.replaceResources(of: try configuration())
            } catch {
                complain("\(error); the resources stay as they were")
            }
        }
    }

    private func start(
        _ service: EmulatorService, port: Int, tls: TLSFiles?, clients: ClientRules? = nil
    ) throws -> EmulatorServer {
        do {
            return try EmulatorServer(service, port: port, tls: tls, clients: clients)
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ValidationError("cannot listen on 127.0.0.1:\(port): \(error)")
        }
    }

    private func configuration() throws -> EmulatorConfiguration {
        var configuration = try resources.load()
        configuration.latencyMilliseconds = faults.latencyMs
        configuration.ratePerSecond = faults.rate
        configuration.clockOffsetSeconds = faults.clockOffset
        configuration.faults = faults.fault
        configuration.hostNames = listening.hostNames
        return configuration
    }

    private func complain(_ message: String) {
        let line = Array("rolesanywhere-emulator: \(message)\n".utf8)
        unsafe write(STDERR_FILENO, line, line.count)
    }
}
