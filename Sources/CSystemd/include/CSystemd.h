/* The little of sd-bus(3) that is needed here. libsystemd is loaded when it is asked for: it brings six libraries and
   1.4 MiB along, and an agent that watches for nothing should not carry them. */
#ifndef CSYSTEMD_H
#define CSYSTEMD_H

#include <stddef.h>
#include <stdint.h>

typedef struct sd_bus csystemd_bus;
typedef struct sd_bus_message csystemd_message;

/* Loads libsystemd.so.0, once. Called before all else, on any thread. NULL, or why it cannot be used. */
const char *csystemd_load(void);

/* All that return int: 0 or more, or -errno. */

/* Connects to a message bus and says hello. */
int csystemd_connect(const char *address, csystemd_bus **bus);
void csystemd_close(csystemd_bus *bus);

/* Calls a method whose arguments are all strings, and waits five seconds for its reply. */
int csystemd_call(
    csystemd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
    const char *const *arguments, size_t count, csystemd_message **reply);

/* org.freedesktop.Notifications (Desktop Notifications Specification 1.2): shows plain texts until *id is closed. */
int csystemd_notify(csystemd_bus *bus, const char *title, const char *body, uint32_t *id);
int csystemd_close_notification(csystemd_bus *bus, uint32_t id);

/* The next message that came by itself. 1 and *message, or 0 when there is none within so many microseconds. */
int csystemd_next(csystemd_bus *bus, uint64_t microseconds, csystemd_message **message);

/* NULL where a message has none. */
const char *csystemd_sender(csystemd_message *message);
const char *csystemd_path(csystemd_message *message);
const char *csystemd_interface(csystemd_message *message);
const char *csystemd_member(csystemd_message *message);
void csystemd_release(csystemd_message *message);

/* Reading: 1, or 0 at the end of an array; -ENXIO for another type. Texts live as long as the message. */
int csystemd_read_text(csystemd_message *message, char type, const char **text);
int csystemd_read_number(csystemd_message *message, uint32_t *number);
int csystemd_read_flag(csystemd_message *message, int *flag);
/* A copy that is closed on exec, and the caller's to close. */
int csystemd_read_descriptor(csystemd_message *message, int *descriptor);
int csystemd_enter(csystemd_message *message, char type, const char *contents);
int csystemd_exit(csystemd_message *message);

#endif
