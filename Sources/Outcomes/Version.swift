/// The version of all programs, which are one build.
package enum Version {
    package static let current: StaticString = "0.1.0"
}
