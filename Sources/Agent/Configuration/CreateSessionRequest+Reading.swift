import AWSNames
import Encodings
import PlainText
import RolesAnywhere

extension CreateSessionRequest {
    /// Reads the keys of a profile that describe its session; nil, with a fault, where a required one is missing or
    /// wrong.
    init?(reading table: inout TableReader) {
        let trustAnchor = table.required("trust-anchor-arn") { node throws(ValueFault) in
            try ARN(reading: node, as: .trustAnchor)
        }
        let profile = table.required("profile-arn") { node throws(ValueFault) in try ARN(reading: node, as: .profile) }
        let role = table.required("role-arn") { node throws(ValueFault) in try ARN(reading: node, as: .role) }
        let duration = table.integer("session-duration-seconds", in: 900...43_200)
        let name = table.value("role-session-name", Self.roleSessionName)
        let properties = table.texts("instance-properties", Self.instanceProperty)
        let override = table.value("endpoint") { node throws(ValueFault) in
            // Whether it agrees with the other keys is asked below.
            _ = try Endpoint(reading: node, for: .rolesAnywhere)
            return try node.text()
        }
        let fips = table.boolean("use-fips-endpoint") ?? false
        let dualStack = table.boolean("use-dualstack-endpoint") ?? false
        let options: SessionOptions?
        do throws(RequestFault) {
            options = try SessionOptions(
                durationSeconds: duration ?? 3600, roleSessionName: name, instanceProperties: properties)
        } catch {  // the others have been looked at
            table.fault(at: table.lineOf("instance-properties"), error.message)
            options = nil
        }
        guard let trustAnchor, let profile, let role else { return nil }
        let scope: SessionScope
        let endpoint: Endpoint
        do throws(RequestFault) {
            scope = try SessionScope(trustAnchor: trustAnchor, profile: profile, role: role)
            endpoint = try Endpoint.resolve(
                .rolesAnywhere, region: trustAnchor.region, fips: fips, dualStack: dualStack, override: override)
        } catch {
            table.fault("\(table.title): \(error.message)")
            return nil
        }
        guard let options else { return nil }
        self.init(scope: scope, endpoint: endpoint, options: options)
    }

    /// CreateSession's `roleSessionName`: 2 to 64 of `[\w+=,.@-]`.
    private static func roleSessionName(_ node: TOMLNode) throws(ValueFault) -> String {
        let name = try node.text()
        guard (2...64).contains(name.utf8.count), name.utf8.allSatisfy(\.isIAMNameCharacter) else {
            throw ValueFault(" is \(name.quoted); give 2 to 64 letters, digits and _+=,.@-")
        }
        return name
    }

    private static func instanceProperty(_ name: String, _ node: TOMLNode) throws(ValueFault) -> String {
        guard (1...200).contains(name.utf8.count) else {
            throw ValueFault(" has a name of \(name.utf8.count) bytes; give 1 to 200")
        }
        return try node.text(limit: 200)
    }
}

extension ARN {
    init(reading node: TOMLNode, as kind: Kind) throws(ValueFault) {
        let text = try node.text()
        do throws(RequestFault) {
            self = try ARN(text, as: kind)
        } catch {
            throw ValueFault(": \(error.message)")
        }
    }
}
