/* The floor: what a C program needs to see a book update and answer with an order.
   Two WebSocket connections on raw TCP, the update on one, the order on the other; it parses the
   best bid out of the update, writes it into the order, masks and sends. No book, no checks.
   Usage: floor PORT block|spin */
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

/* The first bid of an update whose quantity is not zero; updates name the removed level first. */
static const char *best_bid(char *text, size_t size, size_t *length) {
    text[size] = 0;
    char *at = strstr(text, "\"bids\":[");
    if (!strstr(text, "\"type\":\"update\"") || !at) return NULL;
    while ((at = strstr(at, "{\"price\":"))) {
        char *price = at + 9, *comma = strchr(price, ',');
        if (!comma) return NULL;
        at = comma + 7;
        if (strtod(at, NULL) > 0) {
            *length = (size_t)(comma - price);
            return price;
        }
    }
    return NULL;
}

static void answer(int orders, const char *price, size_t length) {
    static long request = 0;
    char text[512], frame[600];
    int size = snprintf(
        text, sizeof text,
        "{\"method\":\"amend_order\",\"params\":{\"cl_ord_id\":\"00000000000000000000000000000001\","
        "\"order_qty\":0.01000000,\"limit_price\":%.*s,\"post_only\":true,"
        "\"deadline\":\"2026-08-26T15:16:21.730Z\","
        "\"token\":\"1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw\"},\"req_id\":%ld}",
        (int)length, price, ++request);
    write_all(orders, frame, masked_frame(frame, text, (size_t)size));
}

/* Handle every whole frame at the front of `buffer`; returns how many bytes were used. */
static size_t handle(char *buffer, size_t have, int orders) {
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
        size_t length;
        const char *price = best_bid(payload, size, &length);
        if (price) answer(orders, price, length);
        payload[size] = kept;
        used += start + size;
    }
    return used;
}

int main(int count, char **words) {
    if (count != 3) return 2;
    int port = atoi(words[1]);
    is_spinning = !strcmp(words[2], "spin");
    int orders = open_socket(port, "/auth/v2"), feed = open_socket(port, "/v2");
    const char *ask = "{\"method\":\"subscribe\",\"params\":{\"channel\":\"book\",\"symbol\":"
                      "[\"BTC/USD\"],\"depth\":10},\"req_id\":1}";
    char frame[256];
    static char buffer[1 << 16], waste[1 << 16];
    write_all(feed, frame, masked_frame(frame, ask, strlen(ask)));
    size_t have = 0;
    for (;;) {
        have += (size_t)read_some(feed, buffer + have, sizeof buffer - have - 1);
        size_t used = handle(buffer, have, orders);
        memmove(buffer, buffer + used, have - used);
        have -= used;
        /* The answers to the orders are not looked at, only taken off the socket. */
        while (recv(orders, waste, sizeof waste, MSG_DONTWAIT) > 0) {
        }
    }
}
