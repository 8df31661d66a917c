import Differential
import Foundation

/// botocore, as `softhsm-tests/install` has installed it.
enum Botocore {
    private static let python = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build-python/bin/python").standardized.path

    /// Runs a program that finds STS' model as `model` and reads one JSON text a line.
    static func answers(_ program: String, to cases: [some Encodable]) throws -> [Substring] {
        let encoder = JSONEncoder()
        let lines = try cases.map { try encoder.encode($0) }.joined(separator: Data("\n".utf8))
        let start = """
            import json, sys
            from botocore.session import Session
            model = Session().get_service_model("sts")

            """
        return try Python.answers(start + program, to: Data(lines), by: python)
    }
}
