// SPDX-License-Identifier: MIT
#include "bench/board.h"

#include <string.h>

#include "lifeboat/otadata.h"
#include "module/port_error.h"
#include "tool/layout.h"
#include "tool/report.h"

#define CHIP_REVISION 300U

static void ignore_log(void *context, const char *text)
{
  (void)context;
  (void)text;
}

static bool say(const char *subject, int err)
{
  if (err) {
    report_problem(subject, module_error_info(err));
  }
  return err == LB_OK;
}

/* ---- making it ---- */

static int put_table(struct board *board)
{
  struct lb_table *table = &board->bootloader.table;
  int err = layout_table(layout_find("ovms"), LAYOUT_FLASH_SIZE, &board->md5, table);
  if (err == LB_OK) {
    memcpy(sim_flash_bytes(&board->flash) + LB_TABLE_ADDRESS, table->bytes, LB_TABLE_SIZE);
  }
  return err;
}

static int put_image(struct board *board, const char *label, const struct bench_image *image)
{
  struct lb_partition partition;
  int err = lb_table_find_label(&board->bootloader.table, label, &partition);
  if (err == LB_OK && image->length > partition.size) {
    err = LB_ERR_IMAGE_TOO_LONG;
  }
  if (err == LB_OK) {
    memcpy(sim_flash_bytes(&board->flash) + partition.offset, image->bytes, image->length);
  }
  return err;
}

static int select_slot(struct board *board, uint32_t slot)
{
  struct lb_otadata otadata;
  int result = lb_otadata_read(&otadata, &board->device);
  if (result == LB_OK) {
    do {
      result = lb_otadata_select_slot(&otadata, &board->device, &(struct lb_selection){.slot = slot});
    } while (result == LB_MORE);
  }
  return result;
}

/* As a module that has been updated twice: both records are written, so the next selection has to erase one. */
static int select_running(struct board *board)
{
  int err = select_slot(board, 1);
  return err ? err : select_slot(board, 0);
}

static int fill_flash(struct board *board)
{
  const struct scenario *scenario = board->scenario;
  int err = put_table(board);
  if (err == LB_OK) {
    err = put_image(board, "factory", scenario->running);
  }
  if (err == LB_OK) {
    err = put_image(board, "ota_0", scenario->running);
  }
  if (err == LB_OK) {
    err = put_image(board, "ota_1", scenario->held);
  }
  if (err == LB_OK) {
    err = select_running(board);
  }
  return err;
}

static bool boot(struct board *board)
{
  board->bootloader.device = board->device;
  board->bootloader.log = ignore_log;
  if (!say("boot", bootloader_run(&board->bootloader)) ||
      !say("ota_1", lb_table_find_label(&board->bootloader.table, "ota_1", &board->target))) {
    return false;
  }
  const char *booted = board->bootloader.decision.partition.label;
  if (strcmp(booted, "ota_0") != 0) {
    report_error("the benchmark's module booted %s, not ota_0", booted);
    return false;
  }
  return true;
}

static void connect(struct board *board)
{
  board->device = (struct lb_device){
      .flash = &board->flash.driver,
      .sha256 = &board->sha256,
      .md5 = &board->md5,
      .table = &board->bootloader.table,
      .chip = lb_chip_by_name("esp32"),
      .revision = CHIP_REVISION,
  };
  board->port = (struct port){
      .flash = &board->flash.driver,
      .sha256 = &board->sha256,
      .sha256_other = &board->sha256_other,
      .sha256_patch = &board->sha256_patch,
      .md5 = &board->md5,
      .chip = board->device.chip,
      .revision = CHIP_REVISION,
      .clock = &board->link.waiting,
      .files = &board->files.port,
      .network = &board->link.port,
  };
}

static void start_link(struct board *board)
{
  const struct scenario *scenario = board->scenario;
  uint32_t count = 1;
  board->on_server[0] = (struct link_file){BOARD_URL, scenario->update->bytes, scenario->update->length};
  for (uint32_t i = 0; i < scenario->offered_count && count < BOARD_FILES; i++) {
    board->on_server[count++] = scenario->offered[i];
  }
  link_start(&board->link, &board->clock, scenario->bytes_per_second, board->on_server, count);
}

bool board_open(struct board *board, const struct scenario *scenario)
{
  const struct sim_geometry geometry = sim_geometry_real(LAYOUT_FLASH_SIZE);
  memset(board, 0, sizeof(*board));
  board->scenario = scenario;
  int err = sim_flash_open_memory(&board->flash, &geometry);
  if (err) {
    report_problem("flash", sim_flash_error_info(err));
    return false;
  }
  sim_clock_start(&board->clock, SIM_CLOCK_VIRTUAL);
  sim_files_open(&board->files);
  mbedtls_hash_sha256(&board->sha256, &board->hash_contexts[0]);
  mbedtls_hash_sha256(&board->sha256_other, &board->hash_contexts[1]);
  mbedtls_hash_sha256(&board->sha256_patch, &board->hash_contexts[2]);
  mbedtls_hash_md5(&board->md5, &board->hash_contexts[3]);
  start_link(board);
  connect(board);
  if (!say("flash", fill_flash(board)) || !boot(board)) {
    return false;
  }
  sim_flash_clear_counters(&board->flash);
  sim_flash_set_timing(&board->flash, &sim_timing_w25q128jv, &board->clock);
  return true;
}

void board_close(struct board *board)
{
  sim_files_close(&board->files);
  sim_flash_close(&board->flash);
}

/* ---- judging it ---- */

static bool holds(struct board *board, const char *label, const struct bench_image *image)
{
  struct lb_partition partition;
  const bool same = lb_table_find_label(&board->bootloader.table, label, &partition) == LB_OK &&
                    memcmp(sim_flash_bytes(&board->flash) + partition.offset, image->bytes, image->length) == 0;
  if (!same) {
    report_error("%s does not hold the image that belongs there", label);
  }
  return same;
}

bool board_check(struct board *board)
{
  struct lb_otadata otadata;
  struct lb_partition selected = {0};
  const bool right = holds(board, "factory", board->scenario->running) &&
                     holds(board, "ota_0", board->scenario->running) && holds(board, "ota_1", board->scenario->update);
  if (!right || !say("otadata", lb_otadata_read(&otadata, &board->device)) ||
      !say("otadata", lb_otadata_selected(&otadata, &board->bootloader.table, &selected))) {
    return false;
  }
  if (!lb_partition_same(&selected, &board->target)) {
    report_error("%s is selected, not %s", selected.label, board->target.label);
    return false;
  }
  return true;
}

uint64_t board_flash_busy_us(const struct board *board)
{
  const struct sim_flash_counters *counters = sim_flash_counters(&board->flash);
  const struct sim_timing *timing = &sim_timing_w25q128jv;
  uint64_t us = counters->programs * timing->program_us + counters->bytes_read * timing->read_ns / 1000U;
  for (uint32_t i = 0; i < LB_FLASH_ERASE_SIZES; i++) {
    us += counters->erases_by_size[i] * timing->erase_us[i];
  }
  return us;
}
