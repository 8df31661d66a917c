// The script: lines into structures.

#include "mock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct script script;
struct shared *shared;

void open_shared(void) {
    static struct shared none;
    if (shared != NULL) return;
    shared = &none;
    const char *path = getenv("MOCK_STATE");
    int file = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *shared) != 0) return;
    void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) shared = memory;
    close(file);
}

struct words {
    char *names[64], *values[64];
    int count;
};

static void decode(char *text) {
    char *end = text;
    for (; *text != '\0'; text++, end++) {
        unsigned byte;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *end = (char)byte;
            text += 2;
        } else {
            *end = *text;
        }
    }
    *end = '\0';
}

static struct words split(char *line) {
    struct words words = {.count = 0};
    char *rest = NULL;
    for (char *word = strtok_r(line, " \n", &rest); word != NULL && words.count < 64; word = strtok_r(NULL, " \n", &rest)) {
        char *value = strchr(word, '=');
        if (value != NULL) *value++ = '\0';
        if (value != NULL) decode(value);
        words.names[words.count] = word;
        words.values[words.count++] = value;
    }
    return words;
}

static const char *text(const struct words *words, const char *name, const char *otherwise) {
    for (int i = 0; i < words->count; i++)
        if (strcmp(words->names[i], name) == 0) return words->values[i] != NULL ? words->values[i] : "";
    return otherwise;
}

static bool has(const struct words *words, const char *name) { return text(words, name, NULL) != NULL; }

static long number(const struct words *words, const char *name, long otherwise) {
    const char *value = text(words, name, NULL);
    return value != NULL ? (long)strtoul(value, NULL, 0) : otherwise;
}

#define COPY(field, name, otherwise) snprintf(field, sizeof field, "%s", text(words, name, otherwise))

static void add_card(const struct words *words) {
    struct card *card = &script.cards[script.card_count++];
    card->number = (uint32_t)number(words, "number", 0);
    COPY(card->label, "label", "mock");
    COPY(card->manufacturer, "manufacturer", "Tokenward");
    COPY(card->model, "model", "Mock");
    COPY(card->serial, "serial", "01");
    COPY(card->pin, "pin", "123456");
    COPY(card->pinpad, "pinpad", "");
    card->has_pinpad = has(words, "pinpad");
    card->tries = (unsigned long)number(words, "tries", 3);
    card->shortest = (unsigned long)number(words, "shortest", 4);
    card->longest = (unsigned long)number(words, "longest", 64);
    card->flags = (unsigned long)number(words, "flags", 0);
    card->hidden = (unsigned long)number(words, "hidden", 0);
    card->sessions = (unsigned long)number(words, "sessions", 200);
    card->refuse_ro = (unsigned long)number(words, "refuse-ro", 0);
    card->reset = (unsigned long)number(words, "reset", 0);
    card->no_login = has(words, "no-login");
    card->uninitialized = has(words, "uninitialized");
    card->no_counter = has(words, "no-counter");
    card->keeps_sessions = has(words, "keeps-sessions");
}

static void add_slot(const struct words *words) {
    if (script.slot_count == SLOTS) return;
    struct slot *slot = &script.slots[script.slot_count++];
    slot->id = (CK_SLOT_ID)number(words, "id", 0);
    slot->card = (uint32_t)number(words, "card", 0);
    slot->insertion = (uint32_t)number(words, "insertion", 0);
    slot->is_empty = !has(words, "card");
}

static void add_object(const struct words *words) {
    struct object *object = &script.objects[script.object_count++];
    const char *class = text(words, "class", "");
    object->card = (uint32_t)number(words, "card", 0);
    object->class = strcmp(class, "certificate") == 0 ? CKO_CERTIFICATE
        : strcmp(class, "public") == 0                ? CKO_PUBLIC_KEY
                                                      : CKO_PRIVATE_KEY;
    object->is_private = has(words, "private");
    object->always = has(words, "always");
    object->no_sign = has(words, "no-sign");
    object->touch = number(words, "touch", 0);
    object->touch_timeout = number(words, "touch-timeout", 15000);
    load_object(object, text(words, "file", ""), text(words, "id", "01"), text(words, "label", ""),
                text(words, "point", NULL), object->always || has(words, "claims-always"));
}

static enum function function_named(const char *name) {
    static const char *const names[] = {
#define NAME(function) #function,
        FUNCTIONS(NAME)
#undef NAME
    };
    for (int i = 0; i < FUNCTION_COUNT; i++)
        if (strcmp(names[i], name) == 0) return (enum function)i;
    return FUNCTION_COUNT;
}

static void add_rule(const struct words *words) {
    struct rule *rule = &script.rules[script.rule_count++];
    rule->function = function_named(text(words, "function", ""));
    rule->number = (uint32_t)number(words, "number", 0) % RULES;
    rule->has_answer = has(words, "rv");
    rule->answer = (CK_RV)number(words, "rv", 0);
    rule->is_after = has(words, "after");
    rule->hangs = has(words, "hang");
    rule->crashes = has(words, "crash");
    rule->aborts = has(words, "abort");
    rule->overflows = has(words, "overflow");
    rule->meddles = has(words, "meddle");
    rule->needs_arguments = has(words, "arguments");
    rule->at = number(words, "at", 0);
    rule->next = number(words, "next", 0);
    rule->delay = number(words, "delay", 0);
    rule->user = number(words, "user", -1);
    rule->mechanism = number(words, "mechanism", -1);
    rule->card = number(words, "card", -1);
    rule->type = number(words, "type", -1);
    rule->exit = number(words, "exit", -1);
    rule->flood = number(words, "flood", 0);
    rule->leak = number(words, "leak", 0);
    rule->descriptors = number(words, "descriptors", 0);
    COPY(rule->lie, "lie", "");
}

static void forget(void) {
    for (int i = 0; i < script.object_count; i++) free_object(&script.objects[i]);
    free(script.cards);
    free(script.objects);
    free(script.rules);
    memset(&script, 0, sizeof script);
}

static void read_lines(FILE *file, long lines) {
    script.cards = calloc((size_t)lines + 1, sizeof *script.cards);
    script.objects = calloc((size_t)lines + 1, sizeof *script.objects);
    script.rules = calloc((size_t)lines + 1, sizeof *script.rules);
    static char line[8192];
    while (fgets(line, sizeof line, file) != NULL) {
        const struct words words = split(line);
        const char *kind = words.count > 0 ? words.names[0] : "";
        if (strcmp(kind, "card") == 0) add_card(&words);
        if (strcmp(kind, "slot") == 0) add_slot(&words);
        if (strcmp(kind, "object") == 0) add_object(&words);
        if (strcmp(kind, "on") == 0) add_rule(&words);
        if (strcmp(kind, "one-lock") == 0) script.has_one_lock = true;
    }
}

void read_script(void) {
    static struct stat last;
    const char *path = getenv("MOCK_SCRIPT");
    struct stat now;
    if (path == NULL || stat(path, &now) != 0) return;
    if (now.st_ino == last.st_ino && now.st_size == last.st_size && now.st_mtim.tv_sec == last.st_mtim.tv_sec
        && now.st_mtim.tv_nsec == last.st_mtim.tv_nsec)
        return;
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    last = now;
    forget();
    long lines = 0;
    for (int byte; (byte = fgetc(file)) != EOF;) lines += byte == '\n';
    rewind(file);
    read_lines(file, lines);
    fclose(file);
}

struct card *card_number(uint32_t number) {
    for (int i = 0; i < script.card_count; i++)
        if (script.cards[i].number == number) return &script.cards[i];
    return NULL;
}

struct slot *slot_number(CK_SLOT_ID id) {
    for (int i = 0; i < script.slot_count; i++)
        if (script.slots[i].id == id) return &script.slots[i];
    return NULL;
}
