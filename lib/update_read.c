// SPDX-License-Identifier: MIT
/* What a session has taken lies in three places: its head, which it keeps; the flash; the sector that is gathered. */
#include <string.h>

#include "lib/common.h"
#include "lib/update_parts.h"
#include "lifeboat/error.h"

/* Bytes behind the head, up to what the writer has taken: those that lie on the flash first. */
static int read_written(const struct lb_update *update, uint32_t offset, uint8_t *buffer, uint32_t length)
{
  const struct lb_writer *writer = &update->writer;
  uint32_t address = update->config.target.offset + offset;
  uint32_t on_flash = address < writer->address ? lb_smaller(length, writer->address - address) : 0;
  int err = on_flash > 0 ? lb_flash_read(writer->flash, address, buffer, on_flash) : LB_OK;
  if (err == LB_OK && on_flash < length) {
    memcpy(buffer + on_flash, writer->buffer + (address + on_flash - writer->address), length - on_flash);
  }
  return err;
}

/* What came behind the image's end was 0xFF and went nowhere. */
static int read_body(const struct lb_update *update, uint32_t offset, uint8_t *buffer, uint32_t length)
{
  uint32_t there = offset < update->written ? lb_smaller(length, update->written - offset) : 0;
  memset(buffer + there, 0xFF, length - there);
  return there > 0 ? read_written(update, offset, buffer, there) : LB_OK;
}

int lb_update_read(const struct lb_update *update, uint32_t offset, void *buffer, uint32_t length)
{
  uint8_t *bytes = buffer;
  if (offset > update->received || length > update->received - offset) {
    return LB_ERR_ARGUMENT;
  }
  uint32_t of_head = offset < update->head_length ? lb_smaller(length, update->head_length - offset) : 0;
  if (of_head > 0) {
    memcpy(bytes, update->head + offset, of_head);
  }
  return of_head == length ? LB_OK : read_body(update, offset + of_head, bytes + of_head, length - of_head);
}
