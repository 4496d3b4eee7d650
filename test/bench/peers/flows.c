// The limit: what a program must at least do to know the flows of a capture. libpcap reads the file, and each packet is counted in an open table
// by its addresses, protocol and ports. No names, owners, directions, states or fragments; both directions are flows of their own.
// cc -O2 flows.c -l:libpcap.so.0.8

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct header { long seconds, micros; uint32_t captured, wire; };
struct flow { uint32_t source, destination, ports; uint8_t protocol, used; uint64_t packets, bytes; };

void *pcap_open_offline(const char *, char *);
int pcap_next_ex(void *, struct header **, const uint8_t **);

static struct flow *flows;
static uint64_t mask = (1 << 16) - 1, count;

static struct flow *find(struct flow *table, uint64_t most, const struct flow *key) {
  uint64_t hash = (key->source * 0x9e3779b97f4a7c15ull) ^ (key->destination * 0xc2b2ae3d27d4eb4full) ^ key->ports * 0x165667b19e3779f9ull;
  for (uint64_t at = (hash ^ hash >> 29) & most;; at = (at + 1) & most) {
    struct flow *slot = table + at;
    if (!slot->used || (slot->source == key->source && slot->destination == key->destination && slot->ports == key->ports && slot->protocol == key->protocol))
      return slot;
  }
}

static void grow(void) {
  uint64_t most = mask * 2 + 1;
  struct flow *larger = calloc(most + 1, sizeof *larger);
  for (uint64_t i = 0; i <= mask; i++)
    if (flows[i].used) *find(larger, most, flows + i) = flows[i];
  free(flows);
  flows = larger;
  mask = most;
}

int main(int argc, char **argv) {
  char error[256];
  void *file = argc > 1 ? pcap_open_offline(argv[1], error) : NULL;
  if (file == NULL) return 1;
  flows = calloc(mask + 1, sizeof *flows);
  struct header *header;
  const uint8_t *frame;
  uint64_t packets = 0, bytes = 0;
  while (pcap_next_ex(file, &header, &frame) == 1) {
    packets++;
    bytes += header->wire;
    if (header->captured < 38 || frame[12] != 8 || frame[13] != 0 || frame[14] >> 4 != 4) continue;
    uint32_t length = (frame[14] & 15) * 4;
    struct flow key = {.protocol = frame[23], .used = 1};
    memcpy(&key.source, frame + 26, 4);
    memcpy(&key.destination, frame + 30, 4);
    if (header->captured >= 14 + length + 4) memcpy(&key.ports, frame + 14 + length, 4);
    struct flow *slot = find(flows, mask, &key);
    if (!slot->used) {
      if (++count > mask / 2) grow(), slot = find(flows, mask, &key);
      *slot = key;
    }
    slot->packets++;
    slot->bytes += header->wire;
  }
  printf("%llu packets, %llu bytes, %llu flows\n", (unsigned long long)packets, (unsigned long long)bytes, (unsigned long long)count);
}
