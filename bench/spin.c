/* The server's stopwatch: sends a frame, polls busily for the answer, takes both times.
   In C so that the clients are compared and not the server. Built into a shared library. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void wait_until(int64_t at_ns) {
    while (now_ns() < at_ns) {
    }
}

static int send_all(int fd, const unsigned char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) continue;
            return -1;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* Whether `buffer` begins with a whole HTTP request with a body. */
static int is_request(const unsigned char *buffer, size_t have) {
    const unsigned char *end = memmem(buffer, have, "\r\n\r\n", 4);
    if (!end) return 0;
    for (const unsigned char *at = buffer; at < end; at++)
        if (!strncasecmp((const char *)at, "\r\ncontent-length:", 17))
            return (size_t)(buffer + have - end - 4) >= strtoul((const char *)at + 17, NULL, 10);
    return 1;
}

/* Whether `buffer` begins with a whole client frame, or a whole request. */
static int is_whole(const unsigned char *buffer, size_t have) {
    if (have < 2) return 0;
    if (buffer[0] == 'P') return is_request(buffer, have);
    size_t size = buffer[1] & 127, start = 2;
    if (size == 126) {
        if (have < 4) return 0;
        size = (size_t)buffer[2] << 8 | buffer[3];
        start = 4;
    } else if (size == 127) {
        return 0;
    }
    return have >= start + ((buffer[1] & 128) ? 4 : 0) + size;
}

/* Send a tick (size 0: none) on `out`, then poll `in` until a whole frame stands in `buffer`.
   Returns the bytes in `buffer`, 0 on a time-out, -1 if a connection is gone. */
int64_t tick(int out, const unsigned char *data, size_t size, int in, unsigned char *buffer,
             size_t room, int64_t limit_ns, int64_t *sent_ns, int64_t *got_ns) {
    size_t have = 0;
    *sent_ns = now_ns();
    if (size && send_all(out, data, size)) return -1;
    for (;;) {
        ssize_t got = recv(in, buffer + have, room - have, MSG_DONTWAIT);
        if (got > 0) {
            have += (size_t)got;
            if (is_whole(buffer, have)) {
                *got_ns = now_ns();
                return (int64_t)have;
            }
            continue;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) return -1;
        if (now_ns() - *sent_ns > limit_ns) return (int64_t)have;
    }
}

int flood(int fd, const unsigned char *data, size_t size, int repeats) {
    for (int n = 0; n < repeats; n++)
        if (send_all(fd, data, size)) return -1;
    return 0;
}
