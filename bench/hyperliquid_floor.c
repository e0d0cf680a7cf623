/* The floor for Hyperliquid: what a C program needs to see a new top of the book and answer with a
   signed order that replaces its last. It parses the best bid, writes it into the action, in
   msgpack to be hashed and in JSON to be sent, signs, masks and sends. No book, no checks.
   Usage: hyperliquid_floor PORT block|spin LIBRARY, the last a shared libsecp256k1. */
#include "sockets.h"
#include <dlfcn.h>
#include <stdint.h>
#include <time.h>

/* Where the library is part of a Python extension it wants this one name; it never looks at it. */
void *_Py_NoneStruct[16];

typedef struct { unsigned char data[65]; } recoverable;
static void *(*context_create)(unsigned);
static int (*sign_recoverable)(void *, recoverable *, const unsigned char *, const unsigned char *,
                               void *, const void *);
static int (*serialize)(void *, unsigned char *, int *, const recoverable *);
static void *context;
static unsigned char secret[32];

static void load(const char *path) {
    void *library = dlopen(path, RTLD_LAZY);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    *(void **)&context_create = dlsym(library, "secp256k1_context_create");
    *(void **)&sign_recoverable = dlsym(library, "secp256k1_ecdsa_sign_recoverable");
    *(void **)&serialize =
        dlsym(library, "secp256k1_ecdsa_recoverable_signature_serialize_compact");
    if (!context_create || !sign_recoverable || !serialize) {
        fprintf(stderr, "%s cannot sign recoverably\n", path);
        exit(1);
    }
    context = context_create(1 | 1 << 8 | 1 << 9);
    memset(secret, 0x42, sizeof secret);
}

/* --- Keccak-256 as Ethereum uses it --- */

static uint64_t turned(uint64_t word, int by) { return word << by | word >> (64 - by); }

static uint64_t rounds[24];
static int places[24], turns[24];

/* The constants by their definitions: a shift register, and a walk over the lanes. */
static void prepare(void) {
    unsigned char state = 1;
    for (int round = 0; round < 24; round++)
        for (int bit = 0; bit < 7; bit++) {
            if (state & 1) rounds[round] |= (uint64_t)1 << ((1 << bit) - 1);
            state = (unsigned char)(state << 1 ^ (state >> 7) * 0x71);
        }
    int x = 1, y = 0;
    for (int step = 0; step < 24; step++) {
        places[step] = x + 5 * y;
        turns[step] = (step + 1) * (step + 2) / 2 % 64;
        int next = (2 * x + 3 * y) % 5;
        x = y;
        y = next;
    }
}

static void permute(uint64_t lane[25]) {
    for (int round = 0; round < 24; round++) {
        uint64_t column[5], kept = lane[1];
        for (int x = 0; x < 5; x++)
            column[x] = lane[x] ^ lane[x + 5] ^ lane[x + 10] ^ lane[x + 15] ^ lane[x + 20];
        for (int x = 0; x < 5; x++) {
            uint64_t mix = column[(x + 4) % 5] ^ turned(column[(x + 1) % 5], 1);
            for (int y = 0; y < 25; y += 5) lane[x + y] ^= mix;
        }
        kept = lane[1];
        for (int step = 0; step < 24; step++) {
            int to = places[(step + 1) % 24];
            uint64_t next = lane[to];
            lane[to] = turned(kept, turns[step]);
            kept = next;
        }
        for (int y = 0; y < 25; y += 5) {
            uint64_t row[5];
            memcpy(row, lane + y, sizeof row);
            for (int x = 0; x < 5; x++) lane[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
        lane[0] ^= rounds[round];
    }
}

static void keccak(unsigned char out[32], const unsigned char *data, size_t size) {
    uint64_t lane[25] = {0};
    unsigned char *bytes = (unsigned char *)lane;
    for (; size >= 136; data += 136, size -= 136) {
        for (int i = 0; i < 136; i++) bytes[i] ^= data[i];
        permute(lane);
    }
    for (size_t i = 0; i < size; i++) bytes[i] ^= data[i];
    bytes[size] ^= 1;
    bytes[135] ^= 0x80;
    permute(lane);
    memcpy(out, bytes, 32);
}

/* --- the order --- */

static unsigned char inner[96], outer[66];

/* The parts of what is signed that never change: EIP-712's domain and type, and the network. */
static void prepare_hashes(void) {
    unsigned char domain[160] = {0};
    const char *type = "EIP712Domain(string name,string version,uint256 chainId,"
                       "address verifyingContract)";
    keccak(domain, (const unsigned char *)type, strlen(type));
    keccak(domain + 32, (const unsigned char *)"Exchange", 8);
    keccak(domain + 64, (const unsigned char *)"1", 1);
    domain[126] = 1337 >> 8;
    domain[127] = 1337 & 255;
    outer[0] = 0x19;
    outer[1] = 0x01;
    keccak(outer + 2, domain, sizeof domain);
    type = "Agent(string source,bytes32 connectionId)";
    keccak(inner, (const unsigned char *)type, strlen(type));
    keccak(inner + 32, (const unsigned char *)"b", 1);
}

static unsigned char *put_number(unsigned char *at, uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (unsigned char)(number >> shift);
    return at;
}

#define PUT(at, literal) (memcpy(at, literal, sizeof(literal) - 1), (at) + sizeof(literal) - 1)

/* An order wire in msgpack, and in JSON. */
static unsigned char *pack_order(unsigned char *at, const char *price, size_t length,
                                 const char *own) {
    at = PUT(at, "\x87\xa1" "a\x00\xa1" "b\xc3\xa1p");
    *at++ = (unsigned char)(0xa0 | length);
    memcpy(at, price, length);
    at = PUT(at + length, "\xa1s\xa4" "0.01\xa1r\xc2\xa1t\x81\xa5limit\x81\xa3tif\xa3" "Alo\xa1" "c"
                          "\xd9\x22" "0x");
    memcpy(at, own, 32);
    return at + 32;
}

#define ORDER "{\"a\":0,\"b\":true,\"p\":\"%.*s\",\"s\":\"0.01\",\"r\":false,\"t\":{\"limit\":{"     \
              "\"tif\":\"Alo\"}},\"c\":\"0x%s\"}"

static uint64_t last_nonce;
static long request;

static void post(int orders, unsigned char *packed, unsigned char *end, const char *action,
                 int size) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t nonce = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (nonce <= last_nonce) nonce = last_nonce + 1;
    last_nonce = nonce;
    end = put_number(end, nonce);
    *end++ = 0;  /* no vault */
    *end++ = 0;  /* it expires */
    end = put_number(end, nonce + 10000);
    unsigned char digest[32], compact[64];
    keccak(inner + 64, packed, (size_t)(end - packed));
    keccak(outer + 34, inner, sizeof inner);
    keccak(digest, outer, sizeof outer);
    recoverable signature;
    int parity;
    sign_recoverable(context, &signature, digest, secret, NULL, NULL);
    serialize(context, compact, &parity, &signature);
    char hex[129], text[1200], frame[1300];
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 64; i++) {
        hex[2 * i] = digits[compact[i] >> 4];
        hex[2 * i + 1] = digits[compact[i] & 15];
    }
    int length = snprintf(
        text, sizeof text,
        "{\"method\":\"post\",\"id\":%ld,\"request\":{\"type\":\"action\",\"payload\":{\"action\":"
        "%.*s,\"nonce\":%llu,\"signature\":{\"r\":\"0x%.64s\",\"s\":\"0x%.64s\",\"v\":%d},"
        "\"vaultAddress\":null,\"expiresAfter\":%llu}}}",
        ++request, size, action, (unsigned long long)nonce, hex, hex + 64, 27 + parity,
        (unsigned long long)nonce + 10000);
    write_all(orders, frame, masked_frame(frame, text, (size_t)length));
}

static char own[2][33];
static int is_placed;

/* The first order; from then on each replaces the one before it. */
static void answer(int orders, const char *price, size_t length) {
    static long number;
    char *mine = own[number & 1], *old = own[~number & 1], action[512];
    unsigned char packed[512], *at = packed;
    int size;
    snprintf(mine, 33, "%032lx", ++number);
    if (!is_placed) {
        at = PUT(at, "\x83\xa4type\xa5order\xa6orders\x91");
        at = pack_order(at, price, length, mine);
        at = PUT(at, "\xa8grouping\xa2na");
        size = snprintf(action, sizeof action,
                        "{\"type\":\"order\",\"orders\":[" ORDER "],\"grouping\":\"na\"}",
                        (int)length, price, mine);
        is_placed = 1;
    } else {
        at = PUT(at, "\x82\xa4type\xab" "batchModify\xa8modifies\x91\x82\xa3oid\xd9\x22" "0x");
        memcpy(at, old, 32);
        at = PUT(at + 32, "\xa5order");
        at = pack_order(at, price, length, mine);
        size = snprintf(action, sizeof action,
                        "{\"type\":\"batchModify\",\"modifies\":[{\"oid\":\"0x%s\",\"order\":"
                        ORDER "}]}",
                        old, (int)length, price, mine);
    }
    post(orders, packed, at, action, size);
}

static void told(char *payload, size_t size, int orders) {
    static const char mark[] = "\"bbo\":[{\"px\":\"";
    (void)size;
    char *at = strstr(payload, mark);
    if (!at) return;
    char *price = at + sizeof mark - 1, *end = strchr(price, '.');
    if (end) answer(orders, price, (size_t)(end - price));
}

int main(int count, char **words) {
    if (count != 4) return 2;
    int port = atoi(words[1]);
    is_spinning = !strcmp(words[2], "spin");
    load(words[3]);
    prepare();
    prepare_hashes();
    int orders = open_socket(port, "/ws"), feed = open_socket(port, "/ws");
    answer(orders, "60000", 5);
    say(feed, "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"bbo\",\"coin\":\"BTC\"}}");
    follow(feed, orders, told);
}
