// SPDX-License-Identifier: MIT
#include "bench/offer.h"

#include <stdio.h>
#include <string.h>

#include "bench/board.h"
#include "tool/report.h"

/* The bytes stay the benchmark's. */
static bool inspect(struct depot_image *inspected, const struct bench_image *image)
{
  inspected->bytes.data = image->bytes;
  inspected->bytes.length = image->length;
  if (!image_file_inspect_bytes(&inspected->inspected, image->bytes, image->length, NULL)) {
    report_problem("an image of the benchmark", inspected->inspected.problem);
    return false;
  }
  return true;
}

/* Both URLs begin with the image's: the patch's name lies in the same folder. */
static void put_on_server(struct offer *offer, const struct depot_patch *patch)
{
  char name[DEPOT_PATCH_NAME_SIZE];
  const uint32_t list_length = depot_patch_list_write(&offer->patches, offer->list);
  depot_patch_name(patch, name);
  const int folder = (int)(strrchr(BOARD_URL, '/') + 1 - BOARD_URL);
  (void)snprintf(offer->list_url, sizeof(offer->list_url), BOARD_URL ".patches");
  (void)snprintf(offer->patch_url, sizeof(offer->patch_url), "%.*s%s", folder, BOARD_URL, name);
  offer->patch_length = patch->size;
  offer->files[0] = (struct link_file){offer->list_url, (const uint8_t *)offer->list, list_length};
  offer->files[1] = (struct link_file){offer->patch_url, patch->data, patch->size};
}

bool offer_make(struct offer *offer, const struct bench_image *base, const struct bench_image *image)
{
  memset(offer, 0, sizeof(*offer));
  if (!inspect(&offer->image, image) || (base != NULL && !inspect(&offer->base, base))) {
    return false;
  }
  depot_patches_start(&offer->patches, &offer->image);
  if (!depot_patches_add(&offer->patches, base != NULL ? &offer->base : NULL)) {
    return false;
  }
  const struct depot_patch *patch = offer->patches.patches;
  if (offer->patches.count != 1 || patch->state != DEPOT_PATCH_MADE || patch->from_nothing != (base == NULL)) {
    report_error("the benchmark's images give no patch that is worth publishing");
    return false;
  }
  put_on_server(offer, patch);
  return true;
}

void offer_free(struct offer *offer)
{
  depot_patches_free(&offer->patches);
}
