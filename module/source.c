// SPDX-License-Identifier: MIT
#include "module/source.h"

#include <stddef.h>

#define PIECE 4096U /* the most that port_files reads at once, and little enough for one step */

int source_open(struct source *source)
{
  struct port_file_info info;
  source->http_status = 0;
  source->size = 0;
  source->position = 0;
  if (source->kind == SOURCE_SLOT) {
    return lb_verify_start(&source->verify, source->device, &source->slot);
  }
  if (source->kind == SOURCE_HTTP) {
    const struct port_network *network = source->port->network;
    return network->open(network->context, source->name, &source->transfer);
  }
  const struct port_files *files = source->port->files;
  int err = files->open(files->context, source->name, &source->file, &info);
  if (err == LB_OK) {
    source->size = info.size;
  }
  return err;
}

static int describe_slot(struct source *source)
{
  int result = lb_verify_step(&source->verify);
  source->size = source->verify.image.info.length;
  return result;
}

int source_describe(struct source *source)
{
  struct port_reply reply;
  if (source->kind == SOURCE_FILE) {
    return LB_OK;
  }
  if (source->kind == SOURCE_SLOT) {
    return describe_slot(source);
  }
  int result = source->port->network->reply(source->transfer, &reply);
  if (result != LB_OK) {
    return result;
  }
  source->http_status = reply.status;
  source->size = reply.length;
  if (reply.status != PORT_HTTP_OK) {
    return MODULE_ERR_STATUS;
  }
  return reply.has_length ? LB_OK : MODULE_ERR_NO_LENGTH;
}

static int read_slot(struct source *source, void *buffer, uint32_t capacity, uint32_t *got)
{
  uint32_t left = (uint32_t)source->size - source->position;
  uint32_t most = capacity < PIECE ? capacity : PIECE;
  *got = left < most ? left : most;
  int err = lb_flash_read(source->device->flash, source->slot.offset + source->position, buffer, *got);
  source->position += *got;
  return err ? err : *got < left ? LB_MORE : LB_OK;
}

int source_read(struct source *source, void *buffer, uint32_t capacity, uint32_t *got)
{
  if (source->kind == SOURCE_SLOT) {
    return read_slot(source, buffer, capacity, got);
  }
  if (source->kind == SOURCE_HTTP) {
    return source->port->network->read(source->transfer, buffer, capacity, got);
  }
  int err = source->port->files->read(source->file, buffer, capacity < PIECE ? capacity : PIECE, got);
  if (err) {
    return err;
  }
  return *got > 0 ? LB_MORE : LB_OK;
}

void source_close(struct source *source)
{
  if (source->transfer) {
    source->port->network->close(source->transfer);
    source->transfer = NULL;
  }
  if (source->file) {
    source->port->files->close(source->file);
    source->file = NULL;
  }
}
