/// Where a region's Roles Anywhere service answers.
package struct Endpoint: Hashable, Sendable {
    package var url: String
}
