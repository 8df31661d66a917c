// A PKCS#11 module that loads, and shows no slot.

#include <p11-kit/pkcs11.h>
#include <string.h>

static CK_FUNCTION_LIST functions;

static CK_RV initialize(void *arguments) {
    (void)arguments;
    return CKR_OK;
}

static CK_RV get_info(CK_INFO_PTR info) {
    memset(info, ' ', sizeof *info);
    info->cryptokiVersion = (CK_VERSION){2, 40};
    info->flags = 0;
    info->libraryVersion = (CK_VERSION){1, 0};
    return CKR_OK;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count) {
    (void)present, (void)slots;
    *count = 0;
    return CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
    functions.version = (CK_VERSION){2, 40};
    functions.C_Initialize = functions.C_Finalize = initialize;
    functions.C_GetInfo = get_info;
    functions.C_GetSlotList = get_slot_list;
    functions.C_GetFunctionList = C_GetFunctionList;
    *list = &functions;
    return CKR_OK;
}
