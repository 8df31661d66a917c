/// An attribute that the URI does not have matches anything; one that it has must be met in full. What the caller does
/// not know (nil) meets nothing: a PIN must not go to a token that merely could be the right one.
extension PKCS11URI {
    /// Whether all attributes are met but those of objects: the one rule for tokens wherever a URI is taken.
    package func matches(_ found: LocatedToken) -> Bool {
        matches(found.description) && matchesSlot(found.slotID, found.slot) && matchesModule(found.module)
    }

    /// Whether the URI's object attributes are met. Pass what the token says, empty where it says nothing.
    package func matchesObject(label: [UInt8], id: [UInt8], type: ObjectClass) -> Bool {
        meets(object, label) && meets(self.id, id) && meets(self.type, type)
    }

    /// Whether a URI has library or module attributes.
    package var namesModule: Bool { namesLibrary || moduleName != nil || modulePath != nil }

    /// Whether a URI has attributes of CK_INFO.
    package var namesLibrary: Bool {
        libraryManufacturer != nil || libraryDescription != nil || libraryVersion != nil
    }

    /// Whether a URI has slot attributes.
    package var namesSlot: Bool { slotDescription != nil || slotManufacturer != nil || slotID != nil }

    /// Whether a URI has token or slot attributes, so that it does not mean every token.
    package var namesToken: Bool {
        token != nil || manufacturer != nil || serial != nil || model != nil || namesSlot
    }

    private func matches(_ description: TokenDescription) -> Bool {
        meets(token, field: description.label)
            && meets(manufacturer, field: description.manufacturer)
            && meets(serial, field: description.serial)
            && meets(model, field: description.model)
    }

    private func matchesSlot(_ identifier: UInt64?, _ slot: SlotDescription?) -> Bool {
        meets(slotID, identifier)
            && meets(slotDescription, field: slot?.description)
            && meets(slotManufacturer, field: slot?.manufacturer)
    }

    private func matchesModule(_ module: ModuleDescription?) -> Bool {
        meets(modulePath, module.map { Array($0.path.utf8) })
            && matchesModuleName(module)
            && meets(libraryManufacturer, field: module?.library?.manufacturer)
            && meets(libraryDescription, field: module?.library?.description)
            && meets(libraryVersion, module?.library?.version)
    }

    /// In any case, without the system's affixes (RFC 7512 §2.3): `opensc-pkcs11` for `opensc-pkcs11.so`, `softhsm2` for
    /// `libsofthsm2.so`. The name that p11-kit has is as good.
    private func matchesModuleName(_ module: ModuleDescription?) -> Bool {
        guard let moduleName else { return true }
        guard let module else { return false }
        let wanted = String(decoding: moduleName, as: UTF8.self).lowercased()
        return [module.name, module.fileName].contains { $0?.lowercased() == wanted }
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

extension ModuleDescription {
    /// The library's file without `lib` before it and `.so` with what follows.
    fileprivate var fileName: String {
        let file = path.split(separator: "/").last.map(String.init) ?? ""
        let bare = file.hasPrefix("lib") ? String(file.dropFirst(3)) : file
        let parts = bare.split(separator: ".", omittingEmptySubsequences: false)
        return parts.prefix { $0 != "so" }.joined(separator: ".")
    }
}
