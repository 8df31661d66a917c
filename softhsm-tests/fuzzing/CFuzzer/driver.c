#include "CFuzzer.h" /* SwiftPM wants a source in each target; the driver comes from libFuzzer's archive */
