/// An attribute that the URI does not have matches anything; one that it has must be met in full. What the caller does
/// not know (nil) meets nothing: a PIN must not go to a token that merely could be the right one.
extension PKCS11URI {
    /// Whether the URI's token and slot attributes are met. Object, library and module attributes are not looked at.
    package func matches(
        token description: TokenDescription, slotID: UInt64? = nil, slotDescription: [UInt8]? = nil,
        slotManufacturer: [UInt8]? = nil
    ) -> Bool {
        meets(token, field: description.label)
            && meets(manufacturer, field: description.manufacturer)
            && meets(serial, field: description.serial)
            && meets(model, field: description.model)
            && meets(self.slotID, slotID)
            && meets(self.slotDescription, field: slotDescription)
            && meets(self.slotManufacturer, field: slotManufacturer)
    }

    /// Whether the URI's object attributes are met. Pass what the token says, empty where it says nothing.
    package func matchesObject(label: [UInt8], id: [UInt8], type: ObjectClass) -> Bool {
        meets(object, label) && meets(self.id, id) && meets(self.type, type)
    }

    /// Whether the URI's `module-name` and `module-path` are met, byte for byte.
    package func matchesModule(name: String?, path: String?) -> Bool {
        meets(moduleName, name.map { Array($0.utf8) }) && meets(modulePath, path.map { Array($0.utf8) })
    }

    /// Whether the URI's library attributes are met by the fields of CK_INFO.
    package func matchesLibrary(manufacturer: [UInt8]?, description: [UInt8]?, version: LibraryVersion?) -> Bool {
        meets(libraryManufacturer, field: manufacturer)
            && meets(libraryDescription, field: description)
            && meets(libraryVersion, version)
    }

    /// Whether a URI has library or module attributes, which `matches(token:)` cannot judge.
    package var namesModule: Bool {
        libraryManufacturer != nil || libraryDescription != nil || libraryVersion != nil || moduleName != nil
            || modulePath != nil
    }

    /// Whether a URI has token or slot attributes, so that it does not mean every token.
    package var namesToken: Bool {
        token != nil || manufacturer != nil || serial != nil || model != nil || slotDescription != nil
            || slotManufacturer != nil || slotID != nil
    }

    private func meets<Value: Equatable>(_ wanted: Value?, _ found: Value?) -> Bool {
        wanted == nil || wanted == found
    }

    private func meets(_ wanted: [UInt8]?, field found: [UInt8]?) -> Bool {
        guard let wanted else { return true }
        guard let found else { return false }
        return Padding.trimmed(wanted) == Padding.trimmed(found)
    }
}
