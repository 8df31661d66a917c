/// All of a token that a URI can demand: the token itself, its slot, and the module that shows it. Nil is not known.
package struct LocatedToken: Hashable, Sendable {
    package var description: TokenDescription
    /// CK_SLOT_ID
    package var slotID: UInt64?
    package var slot: SlotDescription?
    package var module: ModuleDescription?

    package init(
        _ description: TokenDescription, slotID: UInt64? = nil, slot: SlotDescription? = nil,
        module: ModuleDescription? = nil
    ) {
        self.description = description
        self.slotID = slotID
        self.slot = slot
        self.module = module
    }
}

/// The text fields of CK_SLOT_INFO (PKCS#11 2.40 §3.2), without their padding.
package struct SlotDescription: Hashable, Sendable {
    /// `slotDescription`: a reader's name, cut to 64 bytes.
    package var description: [UInt8]
    /// `manufacturerID`
    package var manufacturer: [UInt8]

    package init(description: [UInt8], manufacturer: [UInt8]) {
        self.description = description
        self.manufacturer = manufacturer
    }
}

/// A module as a URI can name it.
package struct ModuleDescription: Hashable, Sendable {
    /// The name under which p11-kit has it registered; nil where it has none.
    package var name: String?
    /// The library's absolute path.
    package var path: String
    /// Nil until the module has told.
    package var library: LibraryDescription?

    package init(name: String? = nil, path: String, library: LibraryDescription? = nil) {
        self.name = name
        self.path = path
        self.library = library
    }
}

/// The fields of CK_INFO (PKCS#11 2.40 §3.1), text without its padding.
package struct LibraryDescription: Hashable, Sendable {
    package var manufacturer: [UInt8]
    package var description: [UInt8]
    package var version: LibraryVersion

    package init(manufacturer: [UInt8], description: [UInt8], version: LibraryVersion) {
        self.manufacturer = manufacturer
        self.description = description
        self.version = version
    }
}
