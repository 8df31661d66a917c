/// The version of every program of this package.
package enum TokenwardVersion {
    package static let text: StaticString = "0.1.0"
}
