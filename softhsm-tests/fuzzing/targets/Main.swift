import CFuzzer
import Glibc

/// Gives one parser after another input, for as long as libFuzzer's options say: `fuzzing TARGET [OPTION…] [CORPUS…]`.
/// Without a target it prints their names.
@main enum Main {
    private static let targets: [Target] = [
        .answers, .arns, .assuan, .bodies, .certificates, .configurations, .encodings, .endpoints, .frames, .heads,
        .json, .keeperReplies, .keeperRequests, .messages, .names, .pkcs12, .pkcs8, .places, .points, .replies,
        .reports, .requests, .roleAliases, .sessions, .signatures, .sts, .subjects, .texts, .times, .toml, .uris, .xml,
    ]
    private nonisolated(unsafe) static var chosen: Target?  // before the first input, by this thread alone

    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1 else {
            for target in targets { print(target.name) }
            return
        }
        unsafe chosen = targets.first { $0.name == arguments[1] }
        guard unsafe chosen != nil else {
            print("\(arguments[1]) is none of \(targets.map(\.name).joined(separator: " "))")
            exit(64)
        }
        var count = CommandLine.argc - 1
        var rest: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv + 1
        exit(
            unsafe LLVMFuzzerRunDriver(&count, &rest) { data, size in
                unsafe Main.chosen?.run(Array(UnsafeBufferPointer(start: data, count: size)))
                return 0
            })
    }
}
