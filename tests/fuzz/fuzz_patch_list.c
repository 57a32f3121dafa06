// SPDX-License-Identifier: MIT
/*
 * A list of patches as a server sends it. The first byte is the size of the pieces that it comes in. In the text each
 * '@' and the character behind it are replaced by the digest of a slot's image. What is offered can be used: the
 * smallest ones, in order, with names that stay beside the image and bases that are there; and the pieces do not
 * matter.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/claim.h"
#include "module/patch_list.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/fixture.h"

#define SLOTS 3U

static struct fixture fixture;
static struct lb_partition target;
static uint8_t digests[SLOTS][LB_SHA256_SIZE];
static bool opened;

static void open_once(void)
{
  static const char *const labels[SLOTS] = {"factory", "ota_0", "ota_1"};
  struct lb_claim claim;

  fixture_open_miniature(&fixture, true, 2);
  for (uint32_t i = 0; i < SLOTS; i++) {
    fixture_put_made(&fixture, labels[i], i + 1U, 1024);
    const struct lb_partition slot = fixture_partition(&fixture, labels[i]);
    FUZZ_REQUIRE(lb_claim_read(&claim, &fixture.tap.flash, &slot) == LB_OK && claim.length == 1024);
    memcpy(digests[i], claim.digest, LB_SHA256_SIZE);
  }
  target = fixture_partition(&fixture, "ota_1");
  opened = true;
}

/* Returns the length of the text with all digests in it. */
static uint32_t expand(struct fuzz_input *input, char *text)
{
  static const char digits[] = "0123456789abcdef";
  uint32_t length = 0;

  while (input->length > 0) {
    const uint8_t byte = fuzz_take_byte(input);
    if (byte != '@') {
      text[length++] = (char)byte;
      continue;
    }
    const uint8_t *digest = digests[fuzz_take_byte(input) % SLOTS];
    for (uint32_t i = 0; i < LB_SHA256_SIZE; i++) {
      text[length++] = digits[digest[i] >> 4];
      text[length++] = digits[digest[i] & 15U];
    }
  }
  return length;
}

static bool read_list(struct patch_list *list, const char *text, uint32_t length, uint32_t piece)
{
  bool goes_on = true;

  memset(list, 0xA5, sizeof *list);
  patch_list_start(list, &fixture.device, &target);
  for (uint32_t at = 0; at < length && goes_on; at += piece) {
    const uint32_t here = length - at < piece ? length - at : piece;
    char *copy = fuzz_allocate(here);
    memcpy(copy, text + at, here);
    goes_on = patch_list_write(list, copy, here);
    free(copy);
  }
  return patch_list_finish(list);
}

static void check_offer(const struct patch_offer *offer)
{
  struct lb_claim claim;

  FUZZ_REQUIRE(offer->size > 0 && memchr(offer->name, '\0', sizeof offer->name) != NULL);
  FUZZ_REQUIRE(offer->name[0] != '\0' && offer->name[0] != '.' && strchr(offer->name, '/') == NULL &&
               strchr(offer->name, '%') == NULL && strchr(offer->name, '\\') == NULL);
  if (!offer->from_nothing) {
    FUZZ_REQUIRE(!lb_partition_same(&offer->base, &target));
    FUZZ_REQUIRE(lb_claim_read(&claim, &fixture.tap.flash, &offer->base) == LB_OK);
    FUZZ_REQUIRE(memcmp(claim.digest, digests[0], LB_SHA256_SIZE) == 0 ||
                 memcmp(claim.digest, digests[1], LB_SHA256_SIZE) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct patch_list list;
  static struct patch_list again;
  struct fuzz_input input = {data, size};
  const uint32_t piece = 1U + fuzz_take_byte(&input);

  if (!opened) {
    open_once();
  }
  char *text = fuzz_allocate(input.length * 64U + 64U);
  const uint32_t length = expand(&input, text);
  const bool good = read_list(&list, text, length, piece);
  FUZZ_REQUIRE(read_list(&again, text, length, length + 1U) == good);
  FUZZ_REQUIRE(!good || (length <= PATCH_LIST_SIZE_MAX && strncmp(text, "lifeboat-patches 1", 18) == 0));
  if (good) {
    FUZZ_REQUIRE(list.has_image && list.count >= 1 && list.count <= PATCH_LIST_OFFERS);
    FUZZ_REQUIRE(again.count == list.count && again.image_size == list.image_size);
    FUZZ_REQUIRE(memcmp(again.image_digest, list.image_digest, sizeof list.image_digest) == 0);
    for (uint32_t i = 0; i < list.count; i++) {
      check_offer(&list.offers[i]);
      FUZZ_REQUIRE(i == 0 || list.offers[i - 1U].size <= list.offers[i].size);
      FUZZ_REQUIRE(strcmp(again.offers[i].name, list.offers[i].name) == 0);
    }
  }
  free(text);
  return 0;
}
