// SPDX-License-Identifier: MIT
#include "bench/link.h"

#include <string.h>

#define US_PER_SECOND 1000000U
#define US_PER_MS     1000U

/* The one transfer is the link itself: struct port_transfer is only its name for the module. */
static struct link *link_of(struct port_transfer *transfer)
{
  return (struct link *)(void *)transfer;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

static uint32_t length_of(const struct link *link)
{
  return link->file != NULL ? link->file->length : 0;
}

static uint32_t room(const struct link *link)
{
  return smaller(LINK_WINDOW - (link->arrived - link->taken), length_of(link) - link->arrived);
}

/* Lets arrive what the time since the last call brought. */
static void update(struct link *link)
{
  const uint64_t now_us = sim_clock_now_us(link->clock);
  const uint64_t parts = (now_us - link->updated_us) * link->bytes_per_second + link->part;
  const uint32_t most = room(link);
  link->updated_us = now_us;
  if (parts / US_PER_SECOND < most) {
    link->arrived += (uint32_t)(parts / US_PER_SECOND);
    link->part = parts % US_PER_SECOND;
    return;
  }
  link->arrived += most;
  link->part = 0;
  if (link->arrived < length_of(link)) {
    link->lost_us += (parts - (uint64_t)most * US_PER_SECOND) / link->bytes_per_second;
  }
}

void link_wait(struct link *link, uint64_t most_us)
{
  uint64_t us = most_us;
  if (link->is_open) {
    update(link);
    if (room(link) > 0) {
      const uint64_t next_us = (US_PER_SECOND - link->part + link->bytes_per_second - 1) / link->bytes_per_second;
      us = next_us < most_us ? next_us : most_us;
    }
  }
  sim_clock_spend_us(link->clock, us);
}

/* ---- the clock ---- */

static uint64_t now_ms(void *context)
{
  const struct link *link = context;
  return sim_clock_now_us(link->clock) / US_PER_MS;
}

/* The benchmark's module does not know the date. */
static int64_t utc(void *context)
{
  (void)context;
  return 0;
}

static void idle(void *context, uint32_t ms)
{
  link_wait(context, (uint64_t)ms * US_PER_MS);
}

/* ---- the network ---- */

static bool is_up(void *context)
{
  (void)context;
  return true;
}

/* This link cannot go down, nor to another network. */
static int set_link(void *context, bool up, const char *ssid)
{
  (void)context;
  return up && ssid[0] == '\0' ? LB_OK : PORT_ERR_LINK_DOWN;
}

static const char *ssid(void *context)
{
  (void)context;
  return "bench";
}

static const struct link_file *find_file(const struct link *link, const char *url)
{
  for (uint32_t i = 0; i < link->file_count; i++) {
    if (strcmp(link->files[i].url, url) == 0) {
      return &link->files[i];
    }
  }
  return NULL;
}

static int open_transfer(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  struct link *link = context;
  if (link->is_open) {
    return PORT_ERR_BUSY;
  }
  link->is_open = true;
  link->file = find_file(link, request->url);
  link->arrived = 0;
  link->taken = 0;
  link->part = 0;
  link->updated_us = sim_clock_now_us(link->clock);
  *transfer = context;
  return LB_OK;
}

static int reply(struct port_transfer *transfer, struct port_reply *answer)
{
  const struct link *link = link_of(transfer);
  *answer =
      (struct port_reply){.status = link->file != NULL ? 200 : 404, .has_length = true, .length = length_of(link)};
  return LB_OK;
}

static int read_body(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  struct link *link = link_of(transfer);
  update(link);
  *got = smaller(capacity, link->arrived - link->taken);
  if (*got > 0) {
    memcpy(buffer, link->file->bytes + link->taken, *got);
  }
  link->taken += *got;
  link->received += *got;
  return link->taken == length_of(link) ? LB_OK : LB_MORE;
}

static void close_transfer(struct port_transfer *transfer)
{
  link_of(transfer)->is_open = false;
}

void link_start(struct link *link, struct sim_clock *clock, uint32_t bytes_per_second, const struct link_file *files,
                uint32_t count)
{
  *link = (struct link){
      .port = {.context = link,
               .is_up = is_up,
               .set_link = set_link,
               .ssid = ssid,
               .open = open_transfer,
               .reply = reply,
               .read = read_body,
               .close = close_transfer},
      .waiting = {.context = link, .now_ms = now_ms, .utc = utc, .idle = idle},
      .clock = clock,
      .files = files,
      .file_count = count,
      .bytes_per_second = bytes_per_second,
  };
}
