// SPDX-License-Identifier: MIT
#include "module/patch_list.h"

#include <string.h>

#include "lifeboat/claim.h"
#include "module/words.h"

#define FIRST_LINE "lifeboat-patches 1"
#define WORDS      6U /* of a line that are looked at, and whatever is behind them */

/* ---- what a line is made of ---- */

static bool read_number(const char *text, uint32_t *number)
{
  uint64_t value = 0;
  const char *at = text;
  for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++) {
    value = value * 10U + (uint32_t)(*at - '0');
  }
  *number = (uint32_t)value;
  return at != text && *at == '\0' && value <= UINT32_MAX;
}

static int read_digit(char character)
{
  if (character >= '0' && character <= '9') {
    return character - '0';
  }
  return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool read_digest(const char *text, uint8_t digest[LB_SHA256_SIZE])
{
  for (uint32_t i = 0; i < LB_SHA256_SIZE; i++) {
    int high = read_digit(text[2U * i]);
    int low = high < 0 ? -1 : read_digit(text[2U * i + 1U]);
    if (low < 0) {
      return false;
    }
    digest[i] = (uint8_t)(high << 4 | low);
  }
  return text[2U * LB_SHA256_SIZE] == '\0';
}

/* A file beside the image, and nowhere else. */
static bool read_name(const char *text, char name[PATCH_NAME_SIZE])
{
  uint32_t length = 0;
  for (; length < PATCH_NAME_SIZE - 1U && text[length] != '\0'; length++) {
    char c = text[length];
    bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
    if (!plain) {
      return false;
    }
    name[length] = c;
  }
  name[length] = '\0';
  return length > 0 && text[length] == '\0' && text[0] != '.';
}

/* ---- what a slot holds ---- */

int patch_list_find_base(const struct lb_device *device, const struct lb_partition *target, const uint8_t *digest,
                         uint32_t length, struct lb_partition *base)
{
  struct lb_claim claim;
  for (uint32_t i = 0; lb_table_app_slot(device->table, i, base) == LB_OK; i++) {
    if (!lb_partition_same(base, target) && lb_claim_read(&claim, device->flash, base) == LB_OK &&
        memcmp(claim.digest, digest, length) == 0) {
      return LB_OK;
    }
  }
  return LB_ERR_NOT_FOUND;
}

/* ---- lines ---- */

static void take_image(struct patch_list *list, char **words, uint32_t count)
{
  if (count >= 3 && !list->has_image) {
    list->has_image = read_number(words[1], &list->image_size) && read_digest(words[2], list->image_digest);
  }
}

/* The smallest stay. */
static void keep(struct patch_list *list, const struct patch_offer *offer)
{
  uint32_t place = list->count;
  while (place > 0 && list->offers[place - 1U].size > offer->size) {
    place--;
  }
  if (place == PATCH_LIST_OFFERS) {
    return;
  }
  if (list->count < PATCH_LIST_OFFERS) {
    list->count++;
  }
  for (uint32_t i = list->count - 1U; i > place; i--) {
    list->offers[i] = list->offers[i - 1U];
  }
  list->offers[place] = *offer;
}

static void take_patch(struct patch_list *list, char **words, uint32_t count)
{
  struct patch_offer offer = {.size = 0};
  uint8_t digest[LB_SHA256_SIZE];
  if (count < 4 || !read_number(words[1], &offer.size) || !read_name(words[3], offer.name) || offer.size == 0) {
    return;
  }
  offer.from_nothing = words_equal(words[2], "-");
  if (!offer.from_nothing &&
      (!read_digest(words[2], digest) ||
       patch_list_find_base(list->device, &list->target, digest, sizeof digest, &offer.base) != LB_OK)) {
    return;
  }
  keep(list, &offer);
}

static void take_line(struct patch_list *list)
{
  char *words[WORDS];
  list->line[list->fill] = '\0';
  if (!list->begun) {
    list->begun = words_equal(list->line, FIRST_LINE);
    list->refused = !list->begun;
    return;
  }
  uint32_t count = words_split(list->line, words, WORDS);
  if (count > 0 && words_equal(words[0], "image")) {
    take_image(list, words, count);
  } else if (count > 0 && words_equal(words[0], "patch")) {
    take_patch(list, words, count);
  }
}

/* ---- bytes ---- */

void patch_list_start(struct patch_list *list, const struct lb_device *device, const struct lb_partition *target)
{
  memset(list, 0, sizeof *list);
  list->device = device;
  list->target = *target;
}

bool patch_list_write(struct patch_list *list, const void *data, uint32_t length)
{
  const char *text = data;
  for (uint32_t i = 0; i < length && !list->refused; i++) {
    list->taken++;
    if (text[i] == '\n') {
      list->refused = list->refused || (list->too_long && !list->begun);
      if (!list->too_long && !list->refused) {
        take_line(list);
      }
      list->fill = 0;
      list->too_long = false;
    } else if (text[i] == '\r') {
      continue; /* of an editor that ends lines so */
    } else if (list->fill < PATCH_LIST_LINE_SIZE - 1U && text[i] != '\0') {
      list->line[list->fill++] = text[i];
      /* not one byte more than needed of what is no list */
      list->refused = !list->begun && (list->fill >= sizeof FIRST_LINE || text[i] != FIRST_LINE[list->fill - 1U]);
    } else {
      list->too_long = true;
    }
    list->refused = list->refused || list->taken > PATCH_LIST_SIZE_MAX;
  }
  return !list->refused;
}

bool patch_list_finish(struct patch_list *list)
{
  if (list->fill > 0 && !list->too_long && !list->refused) {
    take_line(list); /* the last line, without its end */
  }
  return !list->refused && list->has_image && list->count > 0;
}
