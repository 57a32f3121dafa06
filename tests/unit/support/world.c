// SPDX-License-Identifier: MIT
#include "tests/unit/support/world.h"

#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define FIRST_IMAGE 1000000U
#define IDLE_MS     50U
#define PIECE       1460U     /* what comes of the network at once */
#define PIECES_GAP  3U        /* and in only one of so many polls */
#define ENDLESS     10000000U /* polls */

/* ---- a network and files that hold one image ---- */

static bool network_is_up(void *context)
{
  return ((struct world *)context)->link;
}

static int network_set_link(void *context, bool up, const char *ssid)
{
  (void)ssid;
  ((struct world *)context)->link = up;
  return LB_OK;
}

static const char *network_ssid(void *context)
{
  (void)context;
  return "garage";
}

static bool ends_with(const char *text, const char *end)
{
  size_t length = strlen(text);

  return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* Something beside the image: its bytes, or how asking for it goes wrong. */
static void serve(struct port_transfer *transfer, struct world_served *served)
{
  served->asked++;
  transfer->bytes = served->bytes;
  transfer->length = served->length;
  transfer->at_once = served->at_once;
  if (served->failing > 0) {
    served->failing--;
    transfer->status = served->status;
    transfer->error = served->error;
    transfer->breaks_at = served->breaks_at;
  } else if (!served->bytes) {
    transfer->status = 404;
  }
}

/* A part is sent to whoever has the rest of the same file. */
static void begin_at(struct port_transfer *transfer, const struct port_request *request)
{
  if (request->first > 0 && request->first < transfer->length && transfer->tag &&
      strcmp(request->validator, transfer->tag) == 0) {
    transfer->first = (uint32_t)request->first;
    transfer->sent = transfer->first;
  }
}

static int network_open(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  struct world *world = context;
  bool version = ends_with(request->url, ".ver");

  if (!world->link) {
    return PORT_ERR_LINK_DOWN;
  }
  if (version && !world->version) {
    return PORT_ERR_CONNECT;
  }
  for (unsigned i = 0; i < WORLD_TRANSFERS; i++) {
    struct port_transfer *found = &world->transfers[i];

    if (!found->open) {
      *found = (struct port_transfer){.status = 200, .tag = world->tag, .open = true};
      if (version) {
        found->bytes = (const uint8_t *)world->version;
        found->length = (uint32_t)strlen(world->version);
      } else if (ends_with(request->url, ".patches")) {
        serve(found, &world->list);
      } else if (ends_with(request->url, ".patch")) {
        serve(found, &world->patch);
      } else {
        found->bytes = world->image.bytes;
        found->length = world->image.length;
        world->image_asked++;
      }
      begin_at(found, request);
      *transfer = found;
      return LB_OK;
    }
  }
  return PORT_ERR_BUSY;
}

static int network_reply(struct port_transfer *transfer, struct port_reply *reply)
{
  assert_true(transfer->open);
  if (transfer->polls++ < PIECES_GAP) {
    return LB_MORE;
  }
  if (transfer->error && transfer->breaks_at == 0) {
    return transfer->error;
  }
  *reply = (struct port_reply){.status = transfer->status, .has_length = true};
  if (transfer->status != PORT_HTTP_OK) {
    return LB_OK;
  }
  reply->length = transfer->length - transfer->first;
  if (transfer->first > 0) {
    reply->status = PORT_HTTP_PARTIAL;
    reply->has_range = true;
    reply->first = transfer->first;
    reply->total = transfer->length;
  }
  if (transfer->tag) {
    snprintf(reply->validator, sizeof(reply->validator), "%s", transfer->tag);
  }
  return LB_OK;
}

static int network_read(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  bool breaks = transfer->error && transfer->breaks_at < transfer->length;
  uint32_t left = (breaks ? transfer->breaks_at : transfer->length) - transfer->sent;
  uint32_t piece = left < PIECE ? left : PIECE;

  assert_true(transfer->open);
  *got = 0;
  if (!transfer->at_once && transfer->polls++ % PIECES_GAP != 0) {
    return LB_MORE;
  }
  if (breaks && left == 0) {
    return transfer->error;
  }
  *got = piece < capacity ? piece : capacity;
  memcpy(buffer, transfer->bytes + transfer->sent, *got);
  transfer->sent += *got;
  return transfer->sent == transfer->length ? LB_OK : LB_MORE;
}

static void network_close(struct port_transfer *transfer)
{
  assert_true(transfer->open);
  transfer->open = false;
}

static int files_open(void *context, const char *path, struct port_file **file, struct port_file_info *info)
{
  struct world *world = context;

  assert_string_equal(path, WORLD_FILE);
  assert_false(world->file.open);
  world->file = (struct port_file){.image = &world->image, .open = true};
  *file = &world->file;
  *info = (struct port_file_info){.size = world->image.length};
  return LB_OK;
}

static int files_read(struct port_file *file, void *buffer, uint32_t capacity, uint32_t *got)
{
  uint32_t left = file->image->length - file->read;

  assert_true(file->open);
  *got = left < capacity ? left : capacity;
  memcpy(buffer, file->image->bytes + file->read, *got);
  file->read += *got;
  return LB_OK;
}

static void files_close(struct port_file *file)
{
  assert_true(file->open);
  file->open = false;
}

static void open_ports(struct world *world)
{
  world->network = (struct port_network){
      .context = world,
      .is_up = network_is_up,
      .set_link = network_set_link,
      .ssid = network_ssid,
      .open = network_open,
      .reply = network_reply,
      .read = network_read,
      .close = network_close,
  };
  world->files = (struct port_files){
      .context = world,
      .open = files_open,
      .read = files_read,
      .close = files_close,
  };
  world->port = (struct port){
      .flash = &world->flash.driver,
      .sha256 = &world->hashes[0],
      .sha256_other = &world->hashes[1],
      .sha256_patch = &world->hashes[3],
      .md5 = &world->hashes[2],
      .chip = lb_chip_by_name("esp32"),
      .revision = 300,
      .clock = &world->clock.port,
      .files = &world->files,
      .network = &world->network,
      .idle = &world->flash.idle,
  };
}

/* ---- a module ---- */

static void keep_output(void *context, const char *text, size_t length)
{
  struct world_console *console = context;

  assert_true(console->output_length + length < sizeof(console->output));
  memcpy(console->output + console->output_length, text, length);
  console->output_length += length;
  console->output[console->output_length] = '\0';
}

static void ignore_log(void *context, const char *text)
{
  (void)context;
  (void)text;
}

static void put_table(struct world *world, const struct lb_partition *rows, uint32_t count)
{
  struct lb_table table;
  uint8_t *bytes = sim_flash_bytes(&world->flash);

  lb_table_start(&table);
  for (uint32_t i = 0; i < count; i++) {
    assert_result(lb_table_add(&table, &rows[i]), LB_OK);
  }
  assert_result(lb_table_finish(&table, world->flash.driver.size, &world->hashes[2]), LB_OK);
  memcpy(bytes + LB_TABLE_ADDRESS, table.bytes, LB_TABLE_SIZE);
  memcpy(bytes + LB_TABLE_COPY_ADDRESS, table.bytes, LB_TABLE_SIZE);
}

void world_open(struct world *world, bool factory)
{
  const struct sim_geometry geometry = sim_geometry_real(16U << 20);
  uint32_t count;
  const struct lb_partition *rows = factory ? layout_ovms(&count) : layout_7m(&count);

  memset(world, 0, sizeof(*world));
  sim_clock_start(&world->clock, SIM_CLOCK_VIRTUAL);
  assert_result(sim_flash_open_memory(&world->flash, &geometry), LB_OK);
  mbedtls_hash_sha256(&world->hashes[0], &world->hash_contexts[0]);
  mbedtls_hash_sha256(&world->hashes[1], &world->hash_contexts[1]);
  mbedtls_hash_md5(&world->hashes[2], &world->hash_contexts[2]);
  mbedtls_hash_sha256(&world->hashes[3], &world->hash_contexts[3]);
  put_table(world, rows, count);
  world->link = true;
  world->version = "3.1.003\nMended.\n";
  world_offer(world, 600, FIRST_IMAGE, "3.1.003");
  open_ports(world);
}

void world_close(struct world *world)
{
  image_free(&world->image);
  sim_flash_close(&world->flash);
}

void world_offer(struct world *world, uint32_t seed, uint32_t size, const char *version)
{
  if (world->image.bytes) {
    image_free(&world->image);
  }
  image_make(&world->image, seed, size, version);
}

void world_put_image(struct world *world, uint32_t address, uint32_t size, uint32_t seed)
{
  struct built_image image;
  uint8_t *bytes = sim_flash_bytes(&world->flash);

  image_make(&image, seed, size, "3.1.001");
  memcpy(bytes + address, image.bytes, size);
  memset(bytes + address + size, 0x5A, 0x200000);
  image_free(&image);
}

void world_boot(struct world *world, const char *expected)
{
  struct bootloader *bootloader = &world->bootloader;

  sim_flash_set_timing(&world->flash, NULL, NULL);
  world->flash.idle.poll = NULL;
  bootloader->device = (struct lb_device){
      .flash = world->port.flash,
      .sha256 = world->port.sha256,
      .md5 = world->port.md5,
      .chip = world->port.chip,
      .revision = world->port.revision,
  };
  bootloader->log = ignore_log;
  assert_result(bootloader_run(bootloader), LB_OK);
  assert_string_equal(bootloader->decision.partition.label, expected);
  module_start(&world->module, &world->port, &bootloader->table, &bootloader->decision, &bootloader->verify.image.info,
               &world->uptime);
  for (unsigned i = 0; i < WORLD_CONSOLES; i++) {
    console_start(&world->consoles[i].console, &world->module, &world->consoles[i], keep_output);
  }
  sim_flash_set_timing(&world->flash, &sim_timing_w25q128jv, &world->clock);
  sim_clock_forget_checkpoints(&world->clock);
}

/* ---- what is measured ---- */

int world_execute(struct world *world, unsigned console, const char *line)
{
  struct world_console *on = &world->consoles[console];

  on->output_length = 0;
  on->output[0] = '\0';
  sim_clock_checkpoint(&world->clock);
  int result = console_execute(&on->console, line);
  sim_clock_checkpoint(&world->clock);
  return result;
}

int world_poll(struct world *world, unsigned console)
{
  struct world_console *on = &world->consoles[console];

  sim_clock_checkpoint(&world->clock);
  int result = console_poll(&on->console);
  sim_clock_checkpoint(&world->clock);
  if (console_is_waiting(&on->console)) {
    world->port.clock->idle(world->port.clock->context, IDLE_MS);
  }
  return result;
}

uint64_t world_run_on(struct world *world, unsigned console, const char *line, int expected)
{
  uint64_t begin = sim_clock_now_us(&world->clock);
  uint32_t polls = 0;

  sim_clock_forget_checkpoints(&world->clock);
  int result = world_execute(world, console, line);
  while (result == LB_MORE) {
    assert_true(polls++ < ENDLESS);
    result = world_poll(world, console);
  }
  uint64_t longest = sim_clock_longest_us(&world->clock);
  uint64_t took = sim_clock_now_us(&world->clock) - begin;
  if (result != expected) {
    fail_here("%s: %s\n%s", line, unit_result_name(result), world->consoles[console].output);
  }
  assert_true(longest <= WORLD_LONGEST_US);
  assert_int_equal(world->flash.counters.refused, 0);
  return took;
}

uint64_t world_run(struct world *world, const char *line, int expected)
{
  uint64_t took = world_run_on(world, 0, line, expected);

  print_message("%s: %llu us, at most %llu us between two polls\n", line, (unsigned long long)took,
                (unsigned long long)sim_clock_longest_us(&world->clock));
  world_assert_quiet(world);
  return took;
}

void world_assert_said(const struct world *world, unsigned console, const char *text)
{
  if (!strstr(world->consoles[console].output, text)) {
    fail_here("\"%s\" is not in:\n%s", text, world->consoles[console].output);
  }
}

void world_assert_never_said(const struct world *world, unsigned console, const char *text)
{
  if (strstr(world->consoles[console].output, text)) {
    fail_here("\"%s\" is in:\n%s", text, world->consoles[console].output);
  }
}

void world_assert_output(const struct world *world, unsigned console, const char *text)
{
  assert_string_equal(world->consoles[console].output, text);
}

void world_assert_quiet(const struct world *world)
{
  assert_true(sim_clock_longest_us(&world->clock) <= WORLD_LONGEST_US);
  assert_int_equal(world->flash.counters.refused, 0);
  assert_false(world->file.open);
  for (unsigned i = 0; i < WORLD_TRANSFERS; i++) {
    assert_false(world->transfers[i].open);
  }
}
