// What a call does other than its work.

#define _GNU_SOURCE
#include "mock.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER, one_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool has_one_lock;
static _Thread_local CK_RV answer_after;

void lock_state(void) { pthread_mutex_lock(&state); }
void unlock_state(void) { pthread_mutex_unlock(&state); }

void pause_unlocked(void) {
    __atomic_fetch_add(&shared->waiting, 1, __ATOMIC_SEQ_CST);
    unlock_state();
    const struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
    lock_state();
    read_script();
    __atomic_fetch_sub(&shared->waiting, 1, __ATOMIC_SEQ_CST);
}

static bool stands(uint32_t rule) {
    for (int i = 0; i < script.rule_count; i++)
        if (script.rules[i].number == rule) return true;
    return false;
}

long milliseconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Waits until the time is over (below 0: never) or the rule has gone. The clock says when: each pause may take longer.
static void wait_for(uint32_t rule, long milliseconds) {
    const long end = milliseconds_now() + milliseconds;
    while ((milliseconds < 0 || milliseconds_now() < end) && stands(rule)) pause_unlocked();
}

static bool is_meant(long wanted, long actual) { return wanted < 0 || wanted == actual; }

static bool fires(const struct rule *rule, enum function function, struct subject subject) {
    if (rule->function != function || !is_meant(rule->user, subject.user) || !is_meant(rule->card, subject.card)
        || !is_meant(rule->mechanism, subject.mechanism) || !is_meant(rule->type, subject.type))
        return false;
    if (rule->needs_arguments && !subject.has_arguments) return false;
    if (rule->at > 0 && (uint64_t)rule->at != shared->calls[function]) return false;
    const uint64_t fired = __atomic_fetch_add(&shared->fired[rule->number], 1, __ATOMIC_SEQ_CST);
    return rule->next == 0 || fired < (uint64_t)rule->next;
}

const char *lie_about(enum function function, long type) {
    static _Thread_local char lie[sizeof(((struct rule *)0)->lie)];  // outlives the script
    *lie = '\0';
    for (int i = 0; i < script.rule_count; i++) {
        const struct rule *rule = &script.rules[i];
        if (*rule->lie == '\0' || !fires(rule, function, (struct subject){-1, -1, -1, type, false})) continue;
        memcpy(lie, rule->lie, sizeof lie);
        break;
    }
    return lie;
}

static void flood(long bytes) {
    char line[1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int output = 1; bytes > 0; bytes -= (long)sizeof line, output = 3 - output) {
        const ssize_t written = write(output, line, sizeof line);
        (void)written;
    }
}

__attribute__((noinline)) static int overflow(volatile char *frame) {
    volatile char next[65536];
    next[0] = frame[0];
    return frame[0] == 1 ? 0 : overflow(next) + next[0];
}

static void handle(int number) { (void)number; }

// Everything that a library should leave to its program.
static void meddle(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (int number = 1; number < 32; number++) signal(number, number == SIGPIPE ? SIG_DFL : handle);
    const int changed = chdir("/tmp");
    (void)changed;
    umask(0777);
    setenv("LC_ALL", "tr_TR.UTF-8", 1);
}

static void act(const struct rule *rule) {
    const struct rule copy = *rule;  // the script may be read again while this one waits
    if (copy.flood > 0) flood(copy.flood);
    if (copy.meddles) meddle();
    if (copy.leak > 0) memset(malloc((size_t)copy.leak), 1, (size_t)copy.leak);
    for (long i = 0; i < copy.descriptors; i++) {
        const int leaked = open("/dev/null", O_RDONLY);
        (void)leaked;
    }
    if (copy.delay > 0) wait_for(copy.number, copy.delay);
    if (copy.hangs) wait_for(copy.number, -1);
    if (copy.crashes) *(volatile int *)8 = 0;
    if (copy.aborts) abort();
    if (copy.overflows) overflow((volatile char[]){0});
    if (copy.exit >= 0) exit((int)copy.exit);
}

bool enter(enum function function, struct subject subject, CK_RV *answer) {
    lock_state();
    open_shared();
    read_script();
    if (script.has_one_lock) {
        unlock_state();
        pthread_mutex_lock(&one_lock);
        has_one_lock = true;
        lock_state();
    }
    __atomic_fetch_add(&shared->calls[function], 1, __ATOMIC_SEQ_CST);
    answer_after = CKR_OK;
    for (int i = 0; i < script.rule_count; i++) {
        const struct rule *rule = &script.rules[i];
        if (*rule->lie != '\0' || !fires(rule, function, subject)) continue;
        const bool has_answer = rule->has_answer, is_after = rule->is_after;
        const CK_RV wanted = rule->answer;
        act(rule);
        if (has_answer && is_after) answer_after = wanted;
        if (has_answer && !is_after) {
            *answer = wanted;
            return true;
        }
        break;
    }
    return false;
}

CK_RV leave(CK_RV answer) {
    if (answer == CKR_OK && answer_after != CKR_OK) answer = answer_after;
    unlock_state();
    if (has_one_lock) {
        has_one_lock = false;
        pthread_mutex_unlock(&one_lock);
    }
    return answer;
}
