// SPDX-License-Identifier: MIT
#include "lib/texts.h"

#include "lib/common.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

uint32_t lb_text_length(const char *text, uint32_t limit)
{
  uint32_t length = 0;
  while (length <= limit && text[length] != '\0') {
    length++;
  }
  return length;
}

static uint32_t all(const struct lb_texts *texts)
{
  return texts->source_length + texts->validator_length;
}

int lb_texts_program(const struct lb_texts *texts, const char *source, const char *validator, uint32_t *written)
{
  uint32_t at = *written;
  bool in_source = at < texts->source_length;
  const char *from = in_source ? source + at : validator + (at - texts->source_length);
  uint32_t left = (in_source ? texts->source_length : all(texts)) - at;
  uint32_t page = texts->flash->page_size;
  uint32_t address = texts->address + at;
  uint32_t piece = lb_smaller(left, page - (address & (page - 1U)));
  int err = lb_flash_program(texts->flash, address, from, piece);
  if (err) {
    return err;
  }
  *written += piece;
  return *written < all(texts) ? LB_MORE : LB_OK;
}

int lb_texts_crc(const struct lb_texts *texts, uint32_t *crc)
{
  uint8_t piece[LB_TEXTS_PIECE];
  for (uint32_t at = 0; at < all(texts); at += LB_TEXTS_PIECE) {
    uint32_t length = lb_smaller(LB_TEXTS_PIECE, all(texts) - at);
    int err = lb_flash_read(texts->flash, texts->address + at, piece, length);
    if (err) {
      return err;
    }
    *crc = lb_crc32(*crc, piece, length);
  }
  return LB_OK;
}

int lb_texts_are(const struct lb_texts *texts, const char *source, const char *validator, bool *same)
{
  uint32_t length = lb_text_length(source, texts->source_length);
  *same = false;
  if (length != texts->source_length) {
    return LB_OK;
  }
  int err = lb_flash_equals(texts->flash, texts->address, source, length, same);
  if (err || !*same || !validator) {
    return err;
  }
  length = lb_text_length(validator, texts->validator_length);
  *same = length == texts->validator_length;
  if (!*same) {
    return LB_OK;
  }
  return lb_flash_equals(texts->flash, texts->address + texts->source_length, validator, length, same);
}

static int copy(const struct lb_flash *flash, uint32_t address, uint32_t length, char *buffer, uint32_t capacity,
                bool *whole)
{
  if (capacity == 0) {
    return LB_ERR_ARGUMENT;
  }
  uint32_t piece = lb_smaller(length, capacity - 1U);
  buffer[0] = '\0';
  int err = lb_flash_read(flash, address, buffer, piece);
  if (err) {
    return err;
  }
  buffer[piece] = '\0';
  if (whole) {
    *whole = piece == length;
  }
  return LB_OK;
}

int lb_texts_source(const struct lb_texts *texts, char *buffer, uint32_t capacity, bool *whole)
{
  return copy(texts->flash, texts->address, texts->source_length, buffer, capacity, whole);
}

int lb_texts_validator(const struct lb_texts *texts, char *buffer, uint32_t capacity, bool *whole)
{
  uint32_t address = texts->address + texts->source_length;
  return copy(texts->flash, address, texts->validator_length, buffer, capacity, whole);
}
