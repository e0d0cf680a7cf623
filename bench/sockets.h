/* What both floor programs share: WebSockets on raw TCP, and no more of them than is needed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int is_spinning;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) exit(0);
        data += sent;
        size -= (size_t)sent;
    }
}

static ssize_t read_some(int fd, char *into, size_t room) {
    for (;;) {
        ssize_t got = recv(fd, into, room, is_spinning ? MSG_DONTWAIT : 0);
        if (got > 0) return got;
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        exit(0);
    }
}

static int open_socket(int port, const char *path) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char text[512];
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n", path);
    write_all(fd, text, (size_t)size);
    char last[5] = "";
    while (memcmp(last, "\r\n\r\n", 4)) {
        memmove(last, last + 1, 3);
        if (recv(fd, last + 3, 1, 0) != 1) fail("handshake");
    }
    return fd;
}

static size_t masked_frame(char *into, const char *payload, size_t size) {
    static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t start = 2;
    into[0] = (char)0x81;
    if (size < 126) {
        into[1] = (char)(0x80 | size);
    } else {
        into[1] = (char)(0x80 | 126);
        into[2] = (char)(size >> 8);
        into[3] = (char)size;
        start = 4;
    }
    memcpy(into + start, key, 4);
    for (size_t i = 0; i < size; i++) into[start + 4 + i] = (char)(payload[i] ^ key[i & 3]);
    return start + 4 + size;
}

typedef void (*on_text)(char *payload, size_t size, int orders);

/* Hand over every whole frame at the front of `buffer`; returns how many bytes were used. */
static size_t handle(char *buffer, size_t have, int orders, on_text told) {
    size_t used = 0;
    while (have - used >= 2) {
        unsigned char *head = (unsigned char *)buffer + used;
        size_t size = head[1] & 127, start = 2;
        if (size == 126) {
            if (have - used < 4) break;
            size = (size_t)head[2] << 8 | head[3];
            start = 4;
        }
        if (have - used < start + size) break;
        char *payload = buffer + used + start, kept = payload[size];
        payload[size] = 0;
        told(payload, size, orders);
        payload[size] = kept;
        used += start + size;
    }
    return used;
}

/* Read the feed for ever. The answers to the orders are not looked at, only taken off. */
static void follow(int feed, int orders, on_text told) {
    static char buffer[1 << 16], waste[1 << 16];
    size_t have = 0;
    for (;;) {
        have += (size_t)read_some(feed, buffer + have, sizeof buffer - have - 1);
        size_t used = handle(buffer, have, orders, told);
        memmove(buffer, buffer + used, have - used);
        have -= used;
        while (recv(orders, waste, sizeof waste, MSG_DONTWAIT) > 0) {
        }
    }
}

static void say(int fd, const char *text) {
    char frame[1024];
    write_all(fd, frame, masked_frame(frame, text, strlen(text)));
}
