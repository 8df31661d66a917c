/* Nothing to call: a program that is linked with this wipes memory when it is freed. */
