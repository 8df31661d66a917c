// swift-tools-version: 6.2
import PackageDescription

/// The archive of libFuzzer's driver, set by `softhsm-tests/fuzz` alone. Then there is a program `fuzzing`, and our own code
/// counts the branches that an input takes (SanitizerCoverage) and is watched by AddressSanitizer.
let libFuzzer = Context.environment["TOKENWARD_FUZZING"]

/// `address` or `thread`, set by `softhsm-tests/sanitize` alone: what our C does without then stands in CLinux' `sanitizer.h`.
let sanitizer = Context.environment["TOKENWARD_SANITIZER"]
let plainC: [CSetting] =
    sanitizer == nil
    ? [] : [.define("TOKENWARD_SANITIZER"), .unsafeFlags(["-fsanitize=undefined", "-fno-sanitize-recover=undefined"])]

let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .strictMemorySafety(),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (libFuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer,address"])])

/// All that a program calls is bound at its start, and read-only from then on.
let boundAtStart: [LinkerSetting] = [.unsafeFlags(["-z", "now", "-z", "relro"].flatMap { ["-Xlinker", $0] })]

/// The thin client is Embedded Swift in a static executable: SDKs start it for each process, so its start-up is all
/// that it costs. `-no-static-stdlib` keeps `--static-swift-stdlib` from looking for an Embedded library that
/// Swift 6.3 does not have on Linux. It is no static PIE: glibc's start of one aborts where there is a RUNPATH, and
/// SwiftPM writes one into each program but in builds with `--disable-local-rpath`.
let embedded: [SwiftSetting] =
    strict + [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-no-static-stdlib"])]
let staticExecutable: [LinkerSetting] =
    boundAtStart + [.unsafeFlags(["-no-static-stdlib", "-Xclang-linker", "-static"])]

/// What stays in memory all day is linked to be small there: relative relocations packed (glibc 2.36), no symbols
/// exported, equal functions folded. Bound at the start, because the first call of a function that is bound late saves the
/// registers on the stack, where what was in them stays.
let resident: [LinkerSetting] =
    boundAtStart + [
        .unsafeFlags(
            ["-use-ld=lld"]
                + ["-z", "pack-relative-relocs", "--no-export-dynamic", "--icf=safe"].flatMap { ["-Xlinker", $0] })
    ]

/// Where pcsc-lite has its headers, which include each other without the folder. Its pkg-config file says `-pthread` as
/// well, which SwiftPM answers with a warning at each build.
let pcscHeaders: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-I/usr/include/PCSC"])]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
    name: "tokenward",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // C libraries, each with one importer.
        .systemLibrary(
            name: "CP11Kit", path: "pkcs11/CP11Kit", pkgConfig: "p11-kit-1", providers: [.apt(["libp11-kit-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CPCSCLite", providers: [.apt(["libpcsclite-dev"])]),
        .target(name: "CLinux", cSettings: plainC),
        .target(name: "CSystemd", cSettings: plainC),
        .target(name: "CWipingHeap", cSettings: plainC),
        .target(name: "CRefusedSockets", cSettings: plainC),
        .target(
            name: "CClientTLS", cSettings: plainC, linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),

        // The alphabet: without Foundation, and fit for Embedded Swift.
        .target(name: "Encodings", swiftSettings: strict),
        .target(name: "LockedMemory", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "PlainText", swiftSettings: strict),
        .target(name: "JSON", dependencies: ["Encodings"], swiftSettings: strict),
        .target(name: "Outcomes", swiftSettings: strict),
        .target(name: "HeaderFields", dependencies: ["Encodings"], swiftSettings: strict),
        .target(name: "UTCTime", dependencies: ["Encodings"], swiftSettings: strict),
        .target(name: "SignatureSchemes", swiftSettings: strict),
        .target(name: "ASN1", dependencies: ["Encodings"], swiftSettings: strict),

        // Tokens.
        .target(
            name: "CUnloadedModules", dependencies: ["CP11Kit"], path: "pkcs11/CUnloadedModules", cSettings: plainC),
        .target(
            name: "PKCS11", dependencies: ["CP11Kit", "CUnloadedModules", "PKCS11URI", "SignatureSchemes", system],
            path: "pkcs11/PKCS11",
            swiftSettings: strict),
        .target(
            name: "PKCS11URI", dependencies: ["Encodings"], path: "pkcs11/PKCS11URI", swiftSettings: strict),
        .target(
            name: "TokenService",
            dependencies: ["Files", "LockedMemory", "PKCS11URI", "PlainText", "SignatureSchemes", system],
            swiftSettings: strict),
        .target(
            name: "TokenWorker",
            dependencies: [
                "CLinux", "CRefusedSockets", "LockedMemory", "ModuleFiles", "PKCS11", "PKCS11URI", "SignatureSchemes",
                "TokenService", "X509", deque, system,
            ],
            swiftSettings: strict),

        // What makes, changes and deletes objects, in a program of its own.
        .target(
            name: "PKCS11Management", dependencies: ["CP11Kit", "PKCS11"], path: "pkcs11/PKCS11Management",
            swiftSettings: strict),
        .target(name: "KeeperService", dependencies: ["TokenService"], swiftSettings: strict),
        .target(
            name: "Keeper",
            dependencies: [
                "Encodings", "Identities", "KeeperService", "KeyFiles", "PKCS11", "PKCS11Management", "TokenService",
                "TokenWorker", "X509",
            ],
            swiftSettings: strict),

        .target(name: "PCSC", dependencies: ["CPCSCLite", "TokenService"], swiftSettings: strict + pcscHeaders),
        .target(
            name: "CardWatcher", dependencies: ["CLinux", "Files", "PCSC", "PlainText", "TokenService"],
            swiftSettings: strict),

        // Values.
        .target(name: "DistinguishedNames", dependencies: ["ASN1", "Encodings", "PlainText"], swiftSettings: strict),
        .target(
            name: "CertificateRequests",
            dependencies: ["ASN1", "DistinguishedNames", "Encodings", "SignatureSchemes"], swiftSettings: strict),
        .target(
            name: "X509",
            dependencies: ["ASN1", "COpenSSL", "DistinguishedNames", "Encodings", "PlainText", "SignatureSchemes"],
            swiftSettings: strict),
        .target(
            name: "KeyFiles", dependencies: ["COpenSSL", "LockedMemory", "PlainText", "X509"], swiftSettings: strict),
        .target(name: "SigV4", dependencies: ["Encodings", "HeaderFields", "UTCTime"], swiftSettings: strict),
        .target(name: "AWSNames", dependencies: ["Encodings", "PlainText"], swiftSettings: strict),
        .target(
            name: "ServiceAnswers", dependencies: ["Encodings", "HeaderFields", "JSON", "PlainText", "UTCTime"],
            swiftSettings: strict),
        .target(
            name: "RolesAnywhere",
            dependencies: [
                "AWSNames", "Encodings", "HeaderFields", "JSON", "ServiceAnswers", "SigV4", "UTCTime",
            ], swiftSettings: strict),
        .target(
            name: "IoTCore", dependencies: ["AWSNames", "HeaderFields", "ServiceAnswers"], swiftSettings: strict),
        .target(
            name: "STS",
            dependencies: [
                "AWSNames", "Encodings", "HeaderFields", "JSON", "PlainText", "ServiceAnswers", "SigV4",
            ], swiftSettings: strict),
        .target(
            name: "Identities", dependencies: ["PKCS11URI", "TokenService", "UTCTime", "X509"],
            swiftSettings: strict),
        .target(
            name: "AgentAPI", dependencies: ["Encodings", "JSON", "Outcomes", "UTCTime"], exclude: ["openapi.json"],
            swiftSettings: strict),

        // Files.
        .target(name: "Files", dependencies: [system], swiftSettings: strict),
        .target(
            name: "ModuleFiles", dependencies: ["CLinux", "Encodings", "Files", "TokenService", system],
            swiftSettings: strict),

        // The network.
        .target(
            name: "HTTPTransport",
            dependencies: ["CClientTLS", "CCurl", "CLinux", "Encodings", "HeaderFields", "SignatureSchemes"],
            swiftSettings: strict),

        // The machine and its people.
        .target(name: "Logind", dependencies: ["CSystemd", "Encodings"], swiftSettings: strict),

        // Tokens, as the agent has them: workers, logins, prompts.
        .target(name: "Clocks", swiftSettings: strict),
        .target(
            name: "Prompts",
            dependencies: [
                "CLinux", "Clocks", "Encodings", "Files", "LockedMemory", "PKCS11URI", "PlainText", "TokenService",
                deque, logging, system,
            ],
            swiftSettings: strict),
        .target(
            name: "Tokens",
            dependencies: [
                "AgentAPI", "CLinux", "Clocks", "Encodings", "Files", "KeeperService", "Logind", "ModuleFiles",
                "PKCS11URI",
                "PlainText", "Prompts", "TokenService", deque, logging, system,
            ], swiftSettings: strict),

        // The agent and its clients.
        .target(
            name: "Agent",
            dependencies: [
                "ASN1", "AWSNames", "AgentAPI", "CLinux", "CertificateRequests", "Clocks", "DistinguishedNames",
                "Encodings", "Files", "HTTPTransport", "HeaderFields", "Identities", "IoTCore", "JSON", "KeeperService",
                "LockedMemory",
                "Logind", "ModuleFiles", "Outcomes", "PKCS11URI", "PlainText", "Prompts", "RolesAnywhere", "STS",
                "ServiceAnswers", "SigV4", "SignatureSchemes", "Tokens", "TokenService", "UTCTime", "X509", deque,
                logging, system,
            ] + nio, exclude: ["Configuration/config.example.toml"], swiftSettings: strict),
        .target(
            name: "AgentClient",
            dependencies: ["CLinux", "Encodings", "JSON", "LockedMemory", "Outcomes", "PlainText"],
            swiftSettings: strict),

        // Programs.
        .executableTarget(
            name: "tokenward-agent",
            dependencies: [
                "Agent", "AgentAPI", "CLinux", "CWipingHeap", "Files", "Outcomes", "Tokens", logging, system,
            ],
            exclude: ["polkit", "systemd"], swiftSettings: strict, linkerSettings: resident),
        .executableTarget(
            name: "tokenward-worker", dependencies: ["CWipingHeap", "TokenWorker"], swiftSettings: strict,
            linkerSettings: resident),
        .executableTarget(
            name: "tokenward-keeper", dependencies: ["CWipingHeap", "Keeper"], swiftSettings: strict,
            linkerSettings: resident),
        .executableTarget(
            name: "tokenward-card-watcher", dependencies: ["CardWatcher"], swiftSettings: strict,
            linkerSettings: resident),
        .executableTarget(
            name: "tokenward",
            dependencies: [
                "ASN1", "AgentAPI", "AgentClient", "CLinux", "Encodings", "Files", "Identities", "JSON", "LockedMemory",
                "Outcomes", "PKCS11URI", "PlainText", "UTCTime", "X509", argumentParser, system,
            ],
            exclude: ["pam"], swiftSettings: strict, linkerSettings: boundAtStart),
        .executableTarget(
            name: "tokenward-credential-process", dependencies: ["CLinux"], swiftSettings: embedded,
            linkerSettings: staticExecutable),

        // Measures signatures on the agent's own way to the token; the socket has no request that signs.
        .executableTarget(
            name: "signing-benchmark",
            dependencies: [
                "AgentAPI", "ModuleFiles", "PKCS11URI", "Prompts", "SignatureSchemes", "TokenService", "Tokens", "X509",
                logging,
            ],
            path: "softhsm-tests/benchmarking/signing", swiftSettings: strict, linkerSettings: boundAtStart),

        // An endpoint to try and to test against. It shares no signing code with the agent.
        .target(
            name: "Emulator",
            dependencies: [
                "COpenSSL", .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio, swiftSettings: strict),
        .executableTarget(
            name: "rolesanywhere-emulator", dependencies: ["Emulator", argumentParser], swiftSettings: strict,
            linkerSettings: boundAtStart),

        // What tests compare with: Python's standard library, and numbers that are random and the same each time.
        .target(name: "Differential", path: "Tests/Differential", swiftSettings: strict),

        .testTarget(name: "EncodingsTests", dependencies: ["Differential", "Encodings"], swiftSettings: strict),
        .testTarget(
            name: "LockedMemoryTests", dependencies: ["LockedMemory"],
            swiftSettings: strict + (sanitizer == nil ? [] : [.define("TOKENWARD_SANITIZER")])),
        .testTarget(name: "PlainTextTests", dependencies: ["Differential", "PlainText"], swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["Differential", "JSON"], swiftSettings: strict),
        .testTarget(name: "UTCTimeTests", dependencies: ["Differential", "UTCTime"], swiftSettings: strict),
        .testTarget(name: "PKCS11URITests", dependencies: ["PKCS11URI"], swiftSettings: strict),
        .testTarget(
            name: "PKCS11URIDifferentialTests", dependencies: ["CP11Kit", "Differential", "PKCS11URI"],
            path: "softhsm-tests/uri", swiftSettings: strict),
        .testTarget(name: "PKCS11Tests", dependencies: ["PKCS11", "SignatureSchemes"], swiftSettings: strict),
        .testTarget(
            name: "PCSCTests", dependencies: ["PCSC", "TokenService"], swiftSettings: strict + pcscHeaders),
        .testTarget(
            name: "CardWatcherTests", dependencies: ["CardWatcher", "PCSC", "TokenService"], swiftSettings: strict),
        .testTarget(
            name: "TokenWorkerTests",
            dependencies: ["LockedMemory", "PKCS11", "PKCS11URI", "SignatureSchemes", "TokenService", "TokenWorker"],
            swiftSettings: strict),
        .testTarget(
            name: "KeeperServiceTests", dependencies: ["KeeperService", "PKCS11URI", "TokenService"],
            swiftSettings: strict),
        .testTarget(
            name: "KeeperTests",
            dependencies: [
                "Keeper", "KeeperService", "PKCS11", "PKCS11Management", "PKCS11URI", "TokenService", "X509",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TokenServiceTests", dependencies: ["LockedMemory", "PKCS11URI", "SignatureSchemes", "TokenService"],
            swiftSettings: strict),
        .testTarget(
            name: "X509Tests", dependencies: ["DistinguishedNames", "SignatureSchemes", "X509"], exclude: ["vectors"],
            swiftSettings: strict),
        .testTarget(name: "ASN1Tests", dependencies: ["ASN1"], swiftSettings: strict),
        .testTarget(
            name: "DistinguishedNamesTests", dependencies: ["COpenSSL", "Differential", "DistinguishedNames"],
            swiftSettings: strict),
        .testTarget(
            name: "CertificateRequestsTests",
            dependencies: ["COpenSSL", "CertificateRequests", "DistinguishedNames", "SignatureSchemes"],
            swiftSettings: strict),
        .testTarget(
            name: "KeyFilesTests", dependencies: ["KeyFiles", "X509"], exclude: ["vectors"],
            swiftSettings: strict),
        .testTarget(
            name: "IdentitiesTests", dependencies: ["Identities", "PKCS11URI", "TokenService", "X509"],
            swiftSettings: strict),
        .testTarget(name: "FilesTests", dependencies: ["Files", system], swiftSettings: strict),
        .testTarget(
            name: "ModuleFilesTests", dependencies: ["ModuleFiles", "TokenService"], swiftSettings: strict),
        .testTarget(
            name: "SigV4Tests",
            dependencies: ["Differential", "Encodings", "HeaderFields", "SigV4", "UTCTime", "X509"],
            exclude: ["vectors"], swiftSettings: strict),
        .testTarget(name: "AWSNamesTests", dependencies: ["AWSNames", "Differential"], swiftSettings: strict),
        .testTarget(
            name: "ServiceAnswersTests", dependencies: ["HeaderFields", "ServiceAnswers"], swiftSettings: strict),
        .testTarget(
            name: "IoTCoreTests", dependencies: ["AWSNames", "HeaderFields", "IoTCore", "ServiceAnswers"],
            swiftSettings: strict),
        .testTarget(
            name: "RolesAnywhereTests",
            dependencies: [
                "AWSNames", "Encodings", "HeaderFields", "RolesAnywhere", "ServiceAnswers", "SigV4", "UTCTime",
            ], swiftSettings: strict),
        .testTarget(
            name: "STSTests",
            dependencies: ["AWSNames", "Differential", "HeaderFields", "ServiceAnswers", "SigV4", "STS"],
            swiftSettings: strict),
        .testTarget(
            name: "PromptsTests", dependencies: ["Clocks", "PKCS11URI", "Prompts", "TokenService", logging],
            swiftSettings: strict),
        .testTarget(
            name: "TokensTests",
            dependencies: [
                "AgentAPI", "Clocks", "Files", "LockedMemory", "ModuleFiles", "PKCS11", "PKCS11URI", "Prompts",
                "SignatureSchemes", "TokenService", "TokenWorker", "Tokens", logging, system,
            ],
            swiftSettings: strict),
        .testTarget(name: "LogindTests", dependencies: ["Logind"], swiftSettings: strict),
        .testTarget(
            name: "HTTPTransportTests", dependencies: ["HTTPTransport", "HeaderFields", "SignatureSchemes"],
            swiftSettings: strict),
        .testTarget(name: "AgentAPITests", dependencies: ["AgentAPI", "JSON"], swiftSettings: strict),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "Agent", "AgentAPI", "Clocks", "Differential", "Encodings", "Files", "HeaderFields", "IoTCore",
                "LockedMemory", "ModuleFiles", "PKCS11URI", "Prompts", "RolesAnywhere", "STS", "ServiceAnswers",
                "SigV4", "TokenService", "Tokens", "UTCTime", system,
            ],
            exclude: ["tomllib-verdicts.py"], swiftSettings: strict),
        .testTarget(
            name: "AgentClientTests", dependencies: ["AgentClient", "LockedMemory", "Outcomes"], swiftSettings: strict),
        .testTarget(name: "EmulatorTests", dependencies: ["Emulator"], swiftSettings: strict),
    ]
)

// Libraries match nothing by a regular expression, whose engine is a megabyte in each program: it would come with a
// single `contains("text")`, where `holds(text:)` of Encodings does. Who needs it imports _StringProcessing.
for target in package.targets where target.type == .regular && target.swiftSettings != nil && target.name != "Emulator"
{
    target.swiftSettings? += [.unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])]
}

// No part of a build without that variable, so that neither the program nor the counting gets into a release.
if let libFuzzer {
    package.targets += [
        .target(name: "CFuzzer", path: "softhsm-tests/fuzzing/CFuzzer"),
        .executableTarget(
            name: "fuzzing",
            dependencies: [
                "AWSNames", "Agent", "AgentAPI", "AgentClient", "CFuzzer", "COpenSSL", "CertificateRequests", "Clocks",
                "DistinguishedNames", "Encodings", "HeaderFields", "IoTCore", "JSON", "KeeperService", "KeyFiles",
                "Outcomes", "PKCS11URI", "PlainText", "Prompts", "RolesAnywhere", "STS", "ServiceAnswers", "SigV4",
                "TokenService", "UTCTime", "X509",
            ],
            path: "softhsm-tests/fuzzing/targets", swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags(["-use-ld=lld", "-sanitize=address", "-Xlinker", libFuzzer]),
                .linkedLibrary("stdc++"),  // libFuzzer is written in C++
            ]),
    ]
}

// A static executable has no place for a sanitizer's runtime.
if sanitizer != nil { package.targets.removeAll { $0.name == "tokenward-credential-process" } }
