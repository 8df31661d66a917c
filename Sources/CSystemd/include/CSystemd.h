/* The little of sd-bus(3) that is needed here. libsystemd is loaded when it is asked for: it brings six libraries and
   1.4 MiB along, and an agent that watches for nothing should not carry them. */
#ifndef CSYSTEMD_H
#define CSYSTEMD_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define CSYSTEMD_EACH_FUNCTION(_)                                                                                     \
    _(new) _(set_address) _(set_bus_client) _(negotiate_fds) _(set_method_call_timeout) _(start) _(flush_close_unref)  \
    _(call) _(call_method) _(process) _(wait) _(message_new_method_call) _(message_append_basic) _(message_unref)      \
    _(message_get_sender) _(message_get_path) _(message_get_interface) _(message_get_member) _(message_read_basic)     \
    _(message_enter_container) _(message_exit_container)

/* libsystemd's functions, by their names without sd_bus_. */
typedef struct {
#define CSYSTEMD_MEMBER(name) __typeof__(&sd_bus_##name) name;
    CSYSTEMD_EACH_FUNCTION(CSYSTEMD_MEMBER)
} csystemd_functions;

/* Loads libsystemd.so.0, once. Called before all else, on any thread. NULL, or why it cannot be used. */
const char *csystemd_load(void);

/* What was loaded. */
const csystemd_functions *csystemd_bus(void);

/* All that return int: 0 or more, or -errno. */

/* Connects to a message bus and says hello. A method has five seconds for its reply. */
int csystemd_connect(const char *address, sd_bus **bus);

/* Calls a method whose arguments are all strings, and waits for its reply. */
int csystemd_call(
    sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
    const char *const *arguments, size_t count, sd_bus_message **reply);

/* org.freedesktop.Notifications (Desktop Notifications Specification 1.2): shows plain texts until *id is closed. */
int csystemd_notify(sd_bus *bus, const char *title, const char *body, uint32_t *id);
int csystemd_close_notification(sd_bus *bus, uint32_t id);

/* The next message that came by itself. 1 and *message, or 0 when there is none within so many microseconds. */
int csystemd_next(sd_bus *bus, uint64_t microseconds, sd_bus_message **message);

#endif
