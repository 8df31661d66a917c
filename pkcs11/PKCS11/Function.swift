/// The PKCS#11 functions that answer a code somebody decides on or is told of.
package enum Function: String, Hashable, Sendable {
    case initialize = "C_Initialize"
    case getInfo = "C_GetInfo"
    case getSlotList = "C_GetSlotList"
    case getSlotInfo = "C_GetSlotInfo"
    case getTokenInfo = "C_GetTokenInfo"
    case getMechanismList = "C_GetMechanismList"
    case openSession = "C_OpenSession"
    case getSessionInfo = "C_GetSessionInfo"
    case logIn = "C_Login"
    case logOut = "C_Logout"
    case getAttributeValue = "C_GetAttributeValue"
    case findObjectsInit = "C_FindObjectsInit"
    case findObjects = "C_FindObjects"
    case findObjectsFinal = "C_FindObjectsFinal"
    case signInit = "C_SignInit"
    case sign = "C_Sign"
}
