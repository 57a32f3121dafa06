// SPDX-License-Identifier: MIT
#include "tests/lwip/cable.h"

#include <sanitizer/asan_interface.h>

#include "tests/lwip/peer.h"

#define LONGEST_QUEUE  512U
#define SHORTEST_FRAME 60U
#define DELAY_MS       1U
#define LATEST_MS      8U
#define ROUND_OF_2_32  0x100000000U

static const uint8_t module_mac[ETHERNET_MAC_SIZE] = PEER_MODULE_MAC;

struct queued {
  uint64_t due_ms;
  uint32_t length;
  uint8_t *bytes; /* exactly as many, so that nobody reads beyond */
};

struct queue {
  uint32_t count;
  struct queued frames[LONGEST_QUEUE]; /* by due_ms */
};

struct cable_faults cable_faults;
struct unit_random cable_random;
struct cable_frame cable_recent[CABLE_RECENT];
static uint32_t recent_count;
static uint64_t now_ms;
static struct queue to_module;
static struct queue to_peer;

/* ---- queues ---- */

static void put(struct queue *queue, const void *frame, uint32_t length, uint64_t due_ms)
{
  uint32_t at = queue->count;

  if (queue->count == LONGEST_QUEUE) {
    return; /* what a full queue loses is lost as on the way */
  }
  for (; at > 0 && queue->frames[at - 1].due_ms > due_ms; at--) {
    queue->frames[at] = queue->frames[at - 1];
  }
  queue->frames[at] = (struct queued){.due_ms = due_ms, .length = length, .bytes = unit_copy(frame, length)};
  queue->count++;
}

static bool take(struct queue *queue, struct queued *frame)
{
  if (queue->count == 0 || queue->frames[0].due_ms > now_ms) {
    return false;
  }
  *frame = queue->frames[0];
  queue->count--;
  memmove(queue->frames, queue->frames + 1, queue->count * sizeof queue->frames[0]);
  return true;
}

static void clear(struct queue *queue)
{
  for (uint32_t i = 0; i < queue->count; i++) {
    free(queue->frames[i].bytes);
  }
  queue->count = 0;
}

static bool happens(uint32_t per_mille)
{
  return per_mille > 0 && unit_random_below(&cable_random, 1000) < per_mille;
}

static void send_over(struct queue *queue, const void *frame, uint32_t length)
{
  if (happens(cable_faults.lost)) {
    return;
  }
  const uint32_t delay = happens(cable_faults.late) ? 2 + unit_random_below(&cable_random, LATEST_MS) : DELAY_MS;
  put(queue, frame, length, now_ms + delay);
  if (happens(cable_faults.doubled)) {
    put(queue, frame, length, now_ms + delay + unit_random_below(&cable_random, LATEST_MS));
  }
}

/* ---- the module's end ---- */

static void mac(void *context, uint8_t address[ETHERNET_MAC_SIZE])
{
  (void)context;
  memcpy(address, module_mac, sizeof module_mac);
}

static bool send_frame(void *context, const void *frame, uint32_t length)
{
  (void)context;
  assert_in_range(length, 14, CABLE_FRAME_SIZE);
  if (happens(cable_faults.refused)) {
    return false;
  }
  send_over(&to_peer, frame, length);
  return true;
}

/* What lies behind the frame is out of bounds until the next one comes there, but for what a short one lacks. */
static uint32_t receive_frame(void *context, void *buffer, uint32_t capacity)
{
  struct queued frame;

  (void)context;
  ASAN_UNPOISON_MEMORY_REGION(buffer, capacity);
  if (!take(&to_module, &frame)) {
    return 0;
  }
  assert_true(frame.length <= capacity);
  memcpy(buffer, frame.bytes, frame.length);
  free(frame.bytes);
  const uint32_t allowed = frame.length > SHORTEST_FRAME ? frame.length : SHORTEST_FRAME;
  ASAN_POISON_MEMORY_REGION((uint8_t *)buffer + allowed, capacity - allowed);
  return frame.length;
}

const struct ethernet *cable_ethernet(void)
{
  static const struct ethernet ethernet = {.mac = mac, .send = send_frame, .receive = receive_frame};

  return &ethernet;
}

static uint64_t now(void *context)
{
  (void)context;
  return now_ms;
}

const struct port_clock *cable_clock(void)
{
  static const struct port_clock clock = {.now_ms = now};

  return &clock;
}

/* ---- the peer's ---- */

void cable_send(const void *frame, uint32_t length)
{
  struct cable_frame *recent = &cable_recent[recent_count++ % CABLE_RECENT];

  recent->length = length;
  memcpy(recent->bytes, frame, length);
  send_over(&to_module, frame, length);
}

void cable_inject(const void *frame, uint32_t length)
{
  put(&to_module, frame, length, now_ms);
}

/* ---- both ---- */

/* Soon lwIP's milliseconds, of 32 bits, begin anew. */
void cable_start(uint64_t seed)
{
  cable_random.state = seed;
  now_ms = ROUND_OF_2_32 - 30000U;
}

uint64_t cable_now(void)
{
  return now_ms;
}

void cable_pass(uint32_t ms)
{
  struct queued frame;
  const bool is_quiet = to_module.count == 0 && to_peer.count == 0;

  now_ms += is_quiet ? ms : 1;
  while (take(&to_peer, &frame)) {
    peer_receive(frame.bytes, frame.length);
    free(frame.bytes);
  }
  peer_tick();
}

uint32_t cable_waiting(void)
{
  return to_module.count;
}

void cable_clear(void)
{
  clear(&to_module);
  clear(&to_peer);
}
