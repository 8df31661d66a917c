#define _GNU_SOURCE
#include "CSystemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define EACH_FUNCTION(_)                                                                                              \
    _(new) _(set_address) _(set_bus_client) _(negotiate_fds) _(start) _(flush_close_unref) _(call) _(process) _(wait)   \
    _(message_new_method_call) _(message_append) _(message_append_basic) _(message_unref) _(message_get_sender) _(message_get_path)       \
    _(message_get_interface) _(message_get_member) _(message_read_basic) _(message_enter_container)                     \
    _(message_exit_container)

static struct {
#define POINTER(name) __typeof__(&sd_bus_##name) name;
    EACH_FUNCTION(POINTER)
} bus_functions;

static const char *reason;

static void load(void) {
    void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *error = dlerror();  // of this thread, which others must not read
        reason = error ? strdup(error) : "libsystemd.so.0 cannot be loaded";
        return;
    }
#define LOAD(name)                                                                                                    \
    if ((bus_functions.name = (__typeof__(&sd_bus_##name))dlsym(library, "sd_bus_" #name)) == NULL) {                   \
        reason = "libsystemd.so.0 has no sd_bus_" #name;                                                                \
        return;                                                                                                       \
    }
    EACH_FUNCTION(LOAD)
}

const char *csystemd_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return reason;
}

int csystemd_connect(const char *address, csystemd_bus **bus) {
    sd_bus *new = NULL;
    int result = bus_functions.new(&new);
    if (result >= 0) result = bus_functions.set_address(new, address);
    if (result >= 0) result = bus_functions.set_bus_client(new, 1);
    if (result >= 0) result = bus_functions.negotiate_fds(new, 1);
    if (result >= 0) result = bus_functions.start(new);
    if (result < 0) {
        bus_functions.flush_close_unref(new);
        return result;
    }
    *bus = new;
    return 0;
}

void csystemd_close(csystemd_bus *bus) { bus_functions.flush_close_unref(bus); }

int csystemd_call(
    csystemd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
    const char *const *arguments, size_t count, csystemd_message **reply) {
    sd_bus_message *call = NULL;
    int result = bus_functions.message_new_method_call(bus, &call, destination, path, interface, member);
    for (size_t index = 0; index < count && result >= 0; index++)
        result = bus_functions.message_append_basic(call, 's', arguments[index]);
    if (result >= 0) result = bus_functions.call(bus, call, 5000000, NULL, reply);
    bus_functions.message_unref(call);
    return result;
}

static const char notifications[] = "org.freedesktop.Notifications";
static const char notifications_path[] = "/org/freedesktop/Notifications";

int csystemd_notify(csystemd_bus *bus, const char *title, const char *body, uint32_t *id) {
    enum { replaces_nothing = 0, no_actions = 0, hints = 2, critical = 2, stays = 0 };
    sd_bus_message *call = NULL, *reply = NULL;
    int result = bus_functions.message_new_method_call(
        bus, &call, notifications, notifications_path, notifications, "Notify");
    if (result >= 0)
        result = bus_functions.message_append(
            call, "susssasa{sv}i", "Tokenward", (uint32_t)replaces_nothing, "", title, body, no_actions, hints,
            "urgency", "y", critical, "transient", "b", 1, (int32_t)stays);
    if (result >= 0) result = bus_functions.call(bus, call, 5000000, NULL, &reply);
    if (result >= 0) result = bus_functions.message_read_basic(reply, 'u', id);
    bus_functions.message_unref(reply);
    bus_functions.message_unref(call);
    return result;
}

int csystemd_close_notification(csystemd_bus *bus, uint32_t id) {
    sd_bus_message *call = NULL;
    int result = bus_functions.message_new_method_call(
        bus, &call, notifications, notifications_path, notifications, "CloseNotification");
    if (result >= 0) result = bus_functions.message_append_basic(call, 'u', &id);
    if (result >= 0) result = bus_functions.call(bus, call, 5000000, NULL, NULL);
    bus_functions.message_unref(call);
    return result;
}

int csystemd_next(csystemd_bus *bus, uint64_t microseconds, csystemd_message **message) {
    for (;;) {
        *message = NULL;
        int result = bus_functions.process(bus, message);
        if (result < 0) return result;
        if (*message != NULL) return 1;
        if (result > 0) continue;
        result = bus_functions.wait(bus, microseconds);
        if (result == 0) return 0;
        if (result < 0 && result != -EINTR) return result;
    }
}

const char *csystemd_sender(csystemd_message *message) { return bus_functions.message_get_sender(message); }
const char *csystemd_path(csystemd_message *message) { return bus_functions.message_get_path(message); }
const char *csystemd_interface(csystemd_message *message) { return bus_functions.message_get_interface(message); }
const char *csystemd_member(csystemd_message *message) { return bus_functions.message_get_member(message); }
void csystemd_release(csystemd_message *message) { bus_functions.message_unref(message); }

int csystemd_read_text(csystemd_message *message, char type, const char **text) {
    return bus_functions.message_read_basic(message, type, text);
}

int csystemd_read_number(csystemd_message *message, uint32_t *number) {
    return bus_functions.message_read_basic(message, 'u', number);
}

int csystemd_read_flag(csystemd_message *message, int *flag) {
    return bus_functions.message_read_basic(message, 'b', flag);
}

int csystemd_read_descriptor(csystemd_message *message, int *descriptor) {
    int lent = -1;
    const int result = bus_functions.message_read_basic(message, 'h', &lent);
    if (result <= 0) return result;
    *descriptor = fcntl(lent, F_DUPFD_CLOEXEC, 3);
    return *descriptor < 0 ? -errno : 1;
}

int csystemd_enter(csystemd_message *message, char type, const char *contents) {
    return bus_functions.message_enter_container(message, type, contents);
}

int csystemd_exit(csystemd_message *message) { return bus_functions.message_exit_container(message); }
