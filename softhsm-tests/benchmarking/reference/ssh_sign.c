/* Asks an SSH agent for signatures as fast as it gives them, and prints how many a second: the rate of another agent
   whose key is on a token (draft-miller-ssh-agent §4).
   cc -O2 -o ssh_sign ssh_sign.c; ssh_sign SOCKET CONNECTIONS SECONDS */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { request_identities = 11, identities_answer = 12, sign_request = 13, sign_response = 14, longest = 65536 };

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static double seconds;
static atomic_long total;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "ssh_sign: %s\n", what);
    exit(1);
}

static uint32_t number(const unsigned char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, 4);
    return ntohl(value);
}

static size_t put(unsigned char *to, uint32_t value) {
    value = htonl(value);
    memcpy(to, &value, 4);
    return 4;
}

static void receive(int fd, unsigned char *into, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t more = read(fd, into + done, count - done);
        if (more <= 0) fail("the agent has closed");
        done += (size_t)more;
    }
}

/* Sends a message that begins at `message + 4`, and returns the answer's length. */
static uint32_t exchange(int fd, unsigned char *message, uint32_t length, unsigned char *answer, int kind) {
    put(message, length);
    if (write(fd, message, length + 4) != (ssize_t)(length + 4)) fail("write");
    unsigned char size[4];
    receive(fd, size, 4);
    uint32_t count = number(size);
    if (count > longest || count < 1) fail("a message too long");
    receive(fd, answer, count);
    if (answer[0] != kind) fail("the agent refuses");
    return count;
}

static void *sign(void *unused) {
    (void)unused;
    unsigned char message[4096], answer[longest];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    message[4] = request_identities;
    exchange(fd, message, 1, answer, identities_answer);
    if (number(answer + 1) == 0) fail("no identities");
    uint32_t blob = number(answer + 5);
    if (blob > 2048) fail("a key too long");
    size_t end = 4;
    message[end++] = sign_request;
    end += put(message + end, blob);
    memcpy(message + end, answer + 9, blob);
    end += blob;
    end += put(message + end, 32);
    memset(message + end, 7, 32);
    end += 32;
    end += put(message + end, 0);
    double stop = now() + seconds;
    long count = 0;
    for (; now() < stop; count++) exchange(fd, message, (uint32_t)end - 4, answer, sign_response);
    atomic_fetch_add(&total, count);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4 || strlen(argv[1]) > 107) return 64;
    strcpy(address.sun_path, argv[1]);
    int connections = atoi(argv[2]);
    seconds = atof(argv[3]);
    pthread_t ids[64];
    for (int index = 0; index < connections && index < 64; index++) pthread_create(ids + index, NULL, sign, NULL);
    for (int index = 0; index < connections && index < 64; index++) pthread_join(ids[index], NULL);
    printf("%.1f\n", (double)atomic_load(&total) / seconds);
    return 0;
}
