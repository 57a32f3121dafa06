// SPDX-License-Identifier: MIT
/* Writing the factory slot, which only production does. */
#include <string.h>

#include "lifeboat/writer.h"
#include "ports/sim/signals.h"
#include "tool/commands.h"
#include "tool/flash_table.h"
#include "tool/flash_update.h"
#include "tool/progress.h"
#include "tool/report.h"

#define SECTOR_CAPACITY 4096U

/* Gives the writer all of `data`. */
static int write_all(struct lb_writer *writer, const uint8_t *data, uint32_t length, struct progress *progress)
{
  uint32_t at = 0;
  int err = LB_OK;
  while (err == LB_OK && at < length) {
    uint32_t left = length - at;
    uint32_t used = 0;
    err = lb_writer_write(writer, data + at, left < SECTOR_CAPACITY ? left : SECTOR_CAPACITY, &used);
    at += used;
    progress_to(progress, at);
  }
  return err;
}

/* The image with its first bytes blank, then those. The writer begins with erasing the block in which they lie. */
static int write_image(struct flash_dump *dump, struct flash_update *update, struct progress *progress)
{
  uint8_t sector[SECTOR_CAPACITY];
  uint8_t blank[LB_IMAGE_HEADER_SIZE];
  struct lb_writer writer;
  memset(blank, 0xFF, sizeof(blank));
  int result = lb_writer_start(&writer, &dump->driver, &update->slot, sector);
  if (result == LB_OK) {
    result = write_all(&writer, blank, sizeof(blank), progress);
  }
  if (result == LB_OK) {
    result = write_all(&writer, update->data + sizeof(blank), update->length - (uint32_t)sizeof(blank), progress);
  }
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_writer_flush(&writer);
  }
  if (result == LB_OK) {
    result = lb_flash_program(&dump->driver, update->slot.offset, update->data, LB_IMAGE_HEADER_SIZE);
  }
  update->sectors_kept = writer.sectors_kept;
  update->bytes_erased = writer.bytes_erased;
  return result;
}

/* Is there what was to be written, and does it verify? */
static int verify(struct flash_dump *dump, const struct flash_update *update, struct progress *progress)
{
  bool equal = false;
  int result = lb_flash_equals(&dump->driver, update->slot.offset, update->data, update->length, &equal);
  if (result == LB_OK) {
    result = equal ? lb_verify_start(&dump->verify, &dump->device.device, &update->slot) : LB_ERR_READ_BACK;
  }
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_verify_step(&dump->verify);
    progress_to(progress, (uint64_t)update->length + dump->verify.position);
  }
  return result;
}

int flash_update_factory(struct flash_dump *dump, struct flash_update *update)
{
  struct progress progress;
  signals_catch(); /* and look at none of them: it takes a second, and half a factory is of no use to anybody */
  progress_start(&progress, "write factory", 2ULL * update->length, update->json);
  int result = write_image(dump, update, &progress);
  if (result == LB_OK) {
    result = verify(dump, update, &progress);
  }
  if (result == LB_OK && update->select) {
    result = flash_dump_select(dump, &update->slot, NULL);
  }
  if (result == LB_OK) {
    result = flash_table_complete_copy(dump);
  }
  if (result != LB_OK || !flash_dump_sync(dump)) {
    progress_stop(&progress);
    if (result != LB_OK) {
      report_library_error(update->source, result);
    }
    return TOOL_EXIT_FAILED;
  }
  progress_done(&progress);
  flash_dump_decide(dump);
  return TOOL_EXIT_DONE;
}
