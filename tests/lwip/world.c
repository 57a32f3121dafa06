// SPDX-License-Identifier: MIT
#include "tests/lwip/world.h"

#include "ports/lwip/network.h"
#include <lwip/stats.h>

#define SEED       0x5EEDU
#define ADDRESS_MS 120000U /* lwIP asks once a minute after some time */
#define QUIET_MS   300000U /* connections that are ending keep their places for two minutes */
#define HOUR_MS    3600000U
#define ENTITY_TAG "\"one\""

struct memory {
  size_t heap;
  size_t pools[MEMP_MAX];
};

const struct port_network *world_network;
uint8_t world_body[WORLD_BODY_SIZE];
struct download world_download;
static struct download *open_downloads[NETWORK_TRANSFERS];
static struct memory memory_before;

/* ---- memory ---- */

/* In lwIP's heap variant the pools are in the heap, too. */
static struct memory measure(void)
{
  struct memory memory = {.heap = lwip_stats.mem.used};

  for (uint32_t i = 0; i < MEMP_MAX; i++) {
    memory.pools[i] = lwip_stats.memp[i]->used;
  }
  return memory;
}

static void assert_memory_is_back(void)
{
  const struct memory memory = measure();

  for (uint32_t i = 0; i < MEMP_MAX; i++) {
    if (memory.pools[i] != memory_before.pools[i]) {
      fail_here("lwIP's pool %u: %zu in use, %zu before", i, memory.pools[i], memory_before.pools[i]);
    }
  }
  assert_int_equal(memory.heap, memory_before.heap);
}

/* ---- for cmocka ---- */

void world_pass(uint32_t ms)
{
  const uint64_t end = cable_now() + ms;

  while (cable_now() < end) {
    const uint64_t left = end - cable_now();

    cable_pass(left < WORLD_STEP_MS ? (uint32_t)left : WORLD_STEP_MS);
    network_poll();
  }
}

int world_open(void **state)
{
  (void)state;
  unit_random_seed(&cable_random, "lwip", SEED);
  cable_start(cable_random.state);
  unit_random_fill(&cable_random, world_body, sizeof world_body);
  peer_start();
  world_network = network_open(&(struct network_options){
      .ethernet = cable_ethernet(),
      .clock = cable_clock(),
      .seed = unit_random_next(&cable_random),
  });
  return 0;
}

int world_setup(void **state)
{
  (void)state;
  cable_faults = (struct cable_faults){0};
  peer_start();
  peer_tcp_settings.answer = answer_body;
  assert_result(world_network->set_link(world_network->context, true, ""), LB_OK);
  for (uint32_t i = 0; i < ADDRESS_MS && !world_network->is_up(world_network->context); i += WORLD_STEP_MS) {
    world_pass(WORLD_STEP_MS);
  }
  assert_true(world_network->is_up(world_network->context));
  world_pass(QUIET_MS);
  memory_before = measure();
  return 0;
}

int world_cleanup(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    if (open_downloads[i]) {
      download_close(open_downloads[i]);
    }
  }
  cable_faults = (struct cable_faults){0};
  world_pass(QUIET_MS);
  if (world_network->is_up(world_network->context)) {
    assert_memory_is_back();
  }
  cable_clear();
  peer_start();
  return 0;
}

/* ---- downloads ---- */

void download_open_part(struct download *download, const char *url, uint64_t first, const char *validator)
{
  const struct port_request request = {.url = url, .first = first, .validator = validator};

  memset(download, 0, sizeof *download);
  download->piece = 4096;
  download->result = LB_MORE;
  download->begun_ms = cable_now();
  assert_result(world_network->open(world_network->context, &request, &download->transfer), LB_OK);
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    if (!open_downloads[i]) {
      open_downloads[i] = download;
      return;
    }
  }
  fail_here("more transfers than there are");
}

void download_open(struct download *download, const char *url)
{
  download_open_part(download, url, 0, NULL);
}

bool download_look(struct download *download)
{
  uint32_t got = 0;
  int result = LB_OK;

  if (download->result != LB_MORE) {
    return false;
  }
  if (!download->has_reply) {
    result = world_network->reply(download->transfer, &download->reply);
    download->has_reply = result == LB_OK;
  }
  if (download->has_reply) {
    const uint32_t room = (uint32_t)sizeof download->body - download->length;
    const uint32_t capacity = download->piece < room ? download->piece : room;

    result = world_network->read(download->transfer, download->body + download->length, capacity, &got);
    assert_true(got <= capacity);
    download->length += got;
  }
  download->result = result;
  download->took = cable_now() - download->begun_ms;
  return result == LB_MORE;
}

void download_run(struct download *download)
{
  while (download_look(download)) {
    cable_pass(WORLD_STEP_MS);
    if (cable_now() - download->begun_ms > HOUR_MS) {
      fail_here("a transfer that does not end, with %u bytes", download->length);
    }
  }
}

void download_close(struct download *download)
{
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    if (open_downloads[i] == download) {
      open_downloads[i] = NULL;
      world_network->close(download->transfer);
    }
  }
}

int download_all(struct download *download, const char *url)
{
  download_open(download, url);
  download_run(download);
  download_close(download);
  return download->result;
}

void assert_whole(const struct download *download, uint32_t first)
{
  assert_result(download->result, LB_OK);
  assert_int_equal(download->length, WORLD_BODY_SIZE - first);
  assert_memory_equal(download->body, world_body + first, download->length);
}

/* ---- answers ---- */

void answer_text(struct peer_connection *connection, const char *text)
{
  peer_tcp_say(connection, text, (uint32_t)strlen(text));
}

void answer_bytes(struct peer_connection *connection, uint32_t announced, uint32_t length)
{
  char head[200];

  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\nETag: " ENTITY_TAG "\r\n\r\n", announced);
  answer_text(connection, head);
  peer_tcp_say(connection, world_body, length);
}

void answer_body(struct peer_connection *connection)
{
  char head[200];
  unsigned first = 0;
  const char *range = strstr(connection->request, "\r\nRange: bytes=");

  if (!range || !strstr(connection->request, "\r\nIf-Range: " ENTITY_TAG "\r\n")) {
    answer_bytes(connection, WORLD_BODY_SIZE, WORLD_BODY_SIZE);
    return;
  }
  assert_int_equal(sscanf(range, "\r\nRange: bytes=%u-\r\n", &first), 1);
  assert_true(first < WORLD_BODY_SIZE);
  snprintf(head, sizeof head,
           "HTTP/1.1 206 Part\r\nContent-Length: %u\r\nContent-Range: bytes %u-%u/%u\r\nETag: " ENTITY_TAG "\r\n\r\n",
           WORLD_BODY_SIZE - first, first, WORLD_BODY_SIZE - 1, WORLD_BODY_SIZE);
  answer_text(connection, head);
  peer_tcp_say(connection, world_body + first, WORLD_BODY_SIZE - first);
}
