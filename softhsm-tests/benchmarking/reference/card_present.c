/* Says "waiting", and "present" once pcscd has a card in its first reader: its own time, without an agent.
   cc -O2 -o card_present card_present.c $(pkg-config --cflags --libs libpcsclite) */
#include <stdio.h>
#include <winscard.h>

int main(void) {
    SCARDCONTEXT context;
    char readers[4096];
    DWORD length = sizeof readers;
    if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) != SCARD_S_SUCCESS) return 1;
    if (SCardListReaders(context, NULL, readers, &length) != SCARD_S_SUCCESS) return 1;
    SCARD_READERSTATE state = {.szReader = readers, .dwCurrentState = SCARD_STATE_UNAWARE};
    puts("waiting");
    fflush(stdout);
    do {
        if (SCardGetStatusChange(context, INFINITE, &state, 1) != SCARD_S_SUCCESS) return 1;
        state.dwCurrentState = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    } while ((state.dwEventState & SCARD_STATE_PRESENT) == 0);
    puts("present");
    return 0;
}
