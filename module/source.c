// SPDX-License-Identifier: MIT
#include "module/source.h"

#include <stddef.h>

#define PIECE 4096U /* the most that port_files reads at once, and little enough for one step */

int source_open(struct source *source)
{
  struct port_file_info info;
  source->http_status = 0;
  source->answer = SOURCE_WHOLE;
  source->size = 0;
  source->position = 0;
  if (source->kind == SOURCE_SLOT) {
    return lb_verify_start(&source->verify, source->device, &source->slot);
  }
  if (source->kind == SOURCE_HTTP) {
    const struct port_network *network = source->port->network;
    const struct port_request request = {
        .url = source->url ? source->url : source->name, .first = source->first, .validator = source->validator};
    return network->open(network->context, &request, &source->transfer);
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

static int describe_answer(struct source *source)
{
  struct port_reply *reply = &source->reply;
  int result = source->port->network->reply(source->transfer, reply);
  if (result != LB_OK) {
    return result;
  }
  source->http_status = reply->status;
  source->size = reply->length;
  if (source->first > 0 && (reply->status == PORT_HTTP_PARTIAL || reply->status == PORT_HTTP_NO_PART)) {
    bool is_asked = reply->status == PORT_HTTP_PARTIAL && reply->has_range && reply->first == source->first &&
                    reply->first + reply->length == reply->total;
    source->answer = is_asked ? SOURCE_PART : SOURCE_NO_PART;
    source->size = reply->total;
    return LB_OK;
  }
  if (reply->status != PORT_HTTP_OK) {
    return MODULE_ERR_STATUS;
  }
  return reply->has_length ? LB_OK : MODULE_ERR_NO_LENGTH;
}

int source_describe(struct source *source)
{
  switch (source->kind) {
  case SOURCE_HTTP:
    return describe_answer(source);
  case SOURCE_SLOT:
    return describe_slot(source);
  case SOURCE_FILE:
    break;
  }
  return LB_OK;
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

bool source_is_strong_tag(const char *text)
{
  uint32_t length = 0;
  while (length < PORT_VALIDATOR_SIZE && text[length] != '\0') {
    length++;
  }
  if (length < 3 || length == PORT_VALIDATOR_SIZE || text[0] != '"' || text[length - 1] != '"') {
    return false; /* a tag without a single character between its quotes tells nothing apart */
  }
  for (uint32_t i = 1; i < length - 1; i++) {
    if (text[i] < '!' || text[i] > '~' || text[i] == '"') {
      return false;
    }
  }
  return true;
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
