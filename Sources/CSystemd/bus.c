#define _GNU_SOURCE
#include "CSystemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

static csystemd_functions bus_functions;
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
    CSYSTEMD_EACH_FUNCTION(LOAD)
}

const char *csystemd_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return reason;
}

const csystemd_functions *csystemd_bus(void) { return &bus_functions; }

int csystemd_connect(const char *address, sd_bus **bus) {
    sd_bus *new = NULL;
    int result = bus_functions.new(&new);
    if (result >= 0) result = bus_functions.set_address(new, address);
    if (result >= 0) result = bus_functions.set_bus_client(new, 1);
    if (result >= 0) result = bus_functions.negotiate_fds(new, 1);
    if (result >= 0) result = bus_functions.set_method_call_timeout(new, 5000000);
    if (result >= 0) result = bus_functions.start(new);
    if (result < 0) {
        bus_functions.flush_close_unref(new);
        return result;
    }
    *bus = new;
    return 0;
}

int csystemd_call(
    sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
    const char *const *arguments, size_t count, sd_bus_message **reply) {
    sd_bus_message *call = NULL;
    int result = bus_functions.message_new_method_call(bus, &call, destination, path, interface, member);
    for (size_t index = 0; index < count && result >= 0; index++)
        result = bus_functions.message_append_basic(call, 's', arguments[index]);
    if (result >= 0) result = bus_functions.call(bus, call, 0, NULL, reply);
    bus_functions.message_unref(call);
    return result;
}

static const char notifications[] = "org.freedesktop.Notifications";
static const char notifications_path[] = "/org/freedesktop/Notifications";

int csystemd_notify(sd_bus *bus, const char *title, const char *body, uint32_t *id) {
    enum { replaces_nothing = 0, no_actions = 0, hints = 2, critical = 2, stays = 0 };
    sd_bus_message *reply = NULL;
    int result = bus_functions.call_method(
        bus, notifications, notifications_path, notifications, "Notify", NULL, &reply, "susssasa{sv}i", "Tokenward",
        (uint32_t)replaces_nothing, "", title, body, no_actions, hints, "urgency", "y", critical, "transient", "b", 1,
        (int32_t)stays);
    if (result >= 0) result = bus_functions.message_read_basic(reply, 'u', id);
    bus_functions.message_unref(reply);
    return result;
}

int csystemd_close_notification(sd_bus *bus, uint32_t id) {
    return bus_functions.call_method(
        bus, notifications, notifications_path, notifications, "CloseNotification", NULL, NULL, "u", id);
}

int csystemd_next(sd_bus *bus, uint64_t microseconds, sd_bus_message **message) {
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
