/* The floor: what a C program needs to see a book update and answer with an order.
   Two WebSocket connections on raw TCP, the update on one, the order on the other; it parses the
   best bid out of the update, writes it into the order, masks and sends. No book, no checks.
   Usage: floor PORT block|spin */
#include "sockets.h"

/* The first bid of an update whose quantity is not zero; updates name the removed level first. */
static const char *best_bid(char *text, size_t *length) {
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

static void told(char *payload, size_t size, int orders) {
    size_t length;
    const char *price = best_bid(payload, &length);
    (void)size;
    if (price) answer(orders, price, length);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    int port = atoi(words[1]);
    is_spinning = !strcmp(words[2], "spin");
    int orders = open_socket(port, "/auth/v2"), feed = open_socket(port, "/v2");
    say(feed, "{\"method\":\"subscribe\",\"params\":{\"channel\":\"book\",\"symbol\":"
              "[\"BTC/USD\"],\"depth\":10},\"req_id\":1}");
    follow(feed, orders, told);
}
