// SPDX-License-Identifier: MIT
#include "tests/network/module_on_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

#define FLASH_SIZE (4U << 20)
#define REVISION   300U

uint64_t module_on_link_received;

static int (*read_uncounted)(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got);

static const struct module *running; /* the one that was booted last */

static int read_counted(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  const int result = read_uncounted(transfer, buffer, capacity, got);
  module_on_link_received += transfer == running->flash_job.source.transfer ? *got : 0;
  return result;
}

static const struct lb_partition rows[] = {
    {0x9000, 0x4000, 0, 1, 0x02, "nvs"},       {0xd000, 0x2000, 0, 1, 0x00, "otadata"},
    {0x10000, 0x60000, 0, 0, 0x00, "factory"}, {0x70000, 0x60000, 0, 0, 0x10, "ota_0"},
    {0xd0000, 0x60000, 0, 0, 0x11, "ota_1"},
};

static void put(struct module_on_link *link, uint32_t address, const void *bytes, uint32_t length)
{
  memcpy(sim_flash_bytes(&link->flash) + address, bytes, length);
}

static bool put_table(struct module_on_link *link)
{
  lb_table_start(&link->table);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (lb_table_add(&link->table, &rows[i]) != LB_OK) {
      return false;
    }
  }
  if (lb_table_finish(&link->table, FLASH_SIZE, &link->hashes[2]) != LB_OK) {
    return false;
  }
  put(link, LB_TABLE_ADDRESS, link->table.bytes, LB_TABLE_SIZE);
  put(link, LB_TABLE_COPY_ADDRESS, link->table.bytes, LB_TABLE_SIZE);
  return true;
}

/* A record of otadata as ESP-IDF's tools write it: it selects ota_0, and counts as confirmed. */
static void put_record(struct module_on_link *link)
{
  uint8_t record[32];
  memset(record, 0xFF, sizeof record);
  lb_store_le32(record, 1);
  lb_store_le32(record + 28, lb_crc32(0xFFFFFFFFU, record, 4));
  put(link, 0xd000, record, sizeof record);
}

static void write_output(void *context, const char *text, size_t length)
{
  struct module_on_link *link = context;
  if (length >= sizeof link->output - link->output_length) {
    link->output_overflowed = true;
    return;
  }
  memcpy(link->output + link->output_length, text, length);
  link->output_length += length;
  link->output[link->output_length] = '\0';
}

static void ignore_log(void *context, const char *text)
{
  (void)context;
  (void)text;
}

static void open_port(struct module_on_link *link)
{
  link->counted = *sim_network_port(link->network);
  read_uncounted = link->counted.read;
  link->counted.read = read_counted;
  link->port = (struct port){
      .flash = &link->flash.driver,
      .sha256 = &link->hashes[0],
      .sha256_other = &link->hashes[1],
      .md5 = &link->hashes[2],
      .chip = lb_chip_by_name("esp32"),
      .revision = REVISION,
      .clock = &link->clock.port,
      .files = &link->no_files,
      .network = &link->counted,
      .seed = 1,
      .idle = &link->flash.idle,
  };
}

bool module_on_link_open(struct module_on_link *link, struct peer *peer, const struct built_image *old,
                         enum module_state state)
{
  const struct sim_geometry geometry = sim_geometry_real(FLASH_SIZE);
  char host[64];
  char depot[64]; /* where the version is looked for */
  const char *const hosts[] = {host, depot};
  snprintf(host, sizeof host, "depot.test=127.0.0.1:%u", peer->port);
  snprintf(depot, sizeof depot, "api.openvehicles.com=127.0.0.1:%u", peer->port);
  sim_clock_start(&link->clock, SIM_CLOCK_VIRTUAL);
  const struct sim_network_options options = {
      .link_up = true, .ssid = "garage", .hosts = hosts, .host_count = 2, .clock = &link->clock};
  if (sim_flash_open_memory(&link->flash, &geometry) != LB_OK || sim_network_open(&link->network, &options) != LB_OK) {
    return false;
  }
  mbedtls_hash_sha256(&link->hashes[0], &link->hash_contexts[0]);
  mbedtls_hash_sha256(&link->hashes[1], &link->hash_contexts[1]);
  mbedtls_hash_md5(&link->hashes[2], &link->hash_contexts[2]);
  mbedtls_hash_sha256(&link->hashes[3], &link->hash_contexts[3]);
  open_port(link);
  if (!put_table(link)) {
    return false;
  }
  put(link, module_on_link_partition(link, "factory").offset, old[0].bytes, old[0].length);
  if (state == MODULE_FROM_SLOT) {
    put(link, module_on_link_partition(link, "ota_0").offset, old[1].bytes, old[1].length);
    put(link, module_on_link_partition(link, "ota_1").offset, old[2].bytes, old[2].length);
    put_record(link);
  }
  return sim_flash_mark(&link->flash);
}

void module_on_link_take_patches(struct module_on_link *link, bool takes)
{
  link->port.sha256_patch = takes ? &link->hashes[3] : NULL;
}

int module_on_link_boot(struct module_on_link *link)
{
  struct bootloader *bootloader = &link->bootloader;
  link->flash.idle.poll = NULL;
  bootloader->device = (struct lb_device){
      .flash = link->port.flash,
      .sha256 = link->port.sha256,
      .md5 = link->port.md5,
      .chip = link->port.chip,
      .revision = link->port.revision,
  };
  bootloader->reset = LB_RESET_POWER_ON;
  bootloader->log = ignore_log;
  const int err = bootloader_run(bootloader);
  if (err) {
    return err;
  }
  running = &link->module;
  link->uptime.boot_time_ms = sim_clock_now_us(&link->clock) / 1000U;
  module_start(&link->module, &link->port, &bootloader->table, &bootloader->decision, &bootloader->verify.image.info,
               &link->uptime);
  console_start(&link->console, &link->module, link, write_output);
  return LB_OK;
}

void module_on_link_power_off(struct module_on_link *link)
{
  module_die(&link->module);
  sim_flash_power_on(&link->flash);
  link->counted.set_link(link->counted.context, true, "");
}

struct lb_partition module_on_link_partition(const struct module_on_link *link, const char *label)
{
  struct lb_partition partition;
  if (lb_table_find_label(&link->table, label, &partition) != LB_OK) {
    fprintf(stderr, "there is no partition %s\n", label);
    exit(1);
  }
  return partition;
}
