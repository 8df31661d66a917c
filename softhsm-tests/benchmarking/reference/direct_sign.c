/* Signs with a token as fast as threads that call the module themselves can: what the agent's rate is measured against.
   Prints signatures a second.
   cc -O2 -o direct_sign direct_sign.c $(pkg-config --cflags p11-kit-1); direct_sign MODULE PIN THREADS SECONDS */
#include "direct_token.h"

#include <pthread.h>
#include <stdatomic.h>

static struct direct_token token;
static double seconds;
static atomic_long total;
static pthread_barrier_t barrier;

static void *sign(void *unused) {
    (void)unused;
    CK_SESSION_HANDLE session = direct_open(&token);
    CK_OBJECT_HANDLE key = direct_find(&token, session, CKO_PRIVATE_KEY);
    pthread_barrier_wait(&barrier);
    double end = direct_now() + seconds;
    long count = 0;
    for (; direct_now() < end; count++) direct_sign(&token, session, key);
    atomic_fetch_add(&total, count);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 5) return 64;
    int threads = atoi(argv[3]);
    seconds = atof(argv[4]);
    pthread_t ids[64];
    direct_load(&token, argv[1]);
    direct_log_in(&token, direct_open(&token), argv[2]);
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int index = 0; index < threads; index++) pthread_create(ids + index, NULL, sign, NULL);
    for (int index = 0; index < threads; index++) pthread_join(ids[index], NULL);
    printf("%.1f\n", (double)atomic_load(&total) / seconds);
    return 0;
}
