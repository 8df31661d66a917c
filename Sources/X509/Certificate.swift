package struct Certificate: Hashable, Sendable {}
