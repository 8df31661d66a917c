/// The PKCS#11 functions that answer a code somebody decides on or is told of, by their names. Those that make, change and
/// delete objects are named where they are called, in `PKCS11Management`.
package struct Function: RawRepresentable, Hashable, Sendable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package static let initialize = Self(rawValue: "C_Initialize")
    package static let getInfo = Self(rawValue: "C_GetInfo")
    package static let getSlotList = Self(rawValue: "C_GetSlotList")
    package static let getSlotInfo = Self(rawValue: "C_GetSlotInfo")
    package static let getTokenInfo = Self(rawValue: "C_GetTokenInfo")
    package static let getMechanismList = Self(rawValue: "C_GetMechanismList")
    package static let openSession = Self(rawValue: "C_OpenSession")
    package static let getSessionInfo = Self(rawValue: "C_GetSessionInfo")
    package static let logIn = Self(rawValue: "C_Login")
    package static let logOut = Self(rawValue: "C_Logout")
    package static let getAttributeValue = Self(rawValue: "C_GetAttributeValue")
    package static let findObjectsInit = Self(rawValue: "C_FindObjectsInit")
    package static let findObjects = Self(rawValue: "C_FindObjects")
    package static let findObjectsFinal = Self(rawValue: "C_FindObjectsFinal")
    package static let signInit = Self(rawValue: "C_SignInit")
    package static let sign = Self(rawValue: "C_Sign")
}
