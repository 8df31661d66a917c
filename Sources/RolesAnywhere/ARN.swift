/// An Amazon Resource Name.
package struct ARN: Hashable, Sendable {
    package init(_ text: String) throws(ARNError) { throw ARNError(message: "") }
}

package struct ARNError: Error, Hashable, Sendable {
    package var message: String
}
