// SPDX-License-Identifier: MIT
#include "tests/unit/support/firmware.h"

#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

static const struct firmware {
  const char *file;
  const char *sha256;
  uint32_t length;
  const char *version;
  uint32_t seed;    /* of the made image */
  uint32_t variant; /* 600 and 601 share most of their bytes */
} firmwares[] = {
    [FIRMWARE_585] = {"ovms-3.3.003-585.bin", "c3e7a45f42c58a42ef4fc5949d77ce810ece6cb7366bae669b9a856ce08c19bf",
                      3659184, "3.3.003-585", 585, 0},
    [FIRMWARE_600] = {"ovms-3.3.003-600.bin", "9fc6780797d0cbfa06df35b5b8e38fc40aeaad615dcb71acc9dae0f7f3885275",
                      3653024, "3.3.003-600", 600, 0},
    [FIRMWARE_601] = {"ovms-3.3.003-601.bin", "864d5d41f000380877b3b324ad9288e031d237fca25a704724fdddf34f20dddd",
                      3653024, "3.3.003-601", 600, 601},
};

/* The bytes of a real one, or NULL. A file that is there but is another one fails the test. */
static uint8_t *load_real(const struct firmware *firmware)
{
  const char *folder = getenv("LIFEBOAT_FIRMWARE");
  char path[1024];
  uint8_t *bytes;
  FILE *file;

  if (!folder || !*folder) {
    return NULL;
  }
  snprintf(path, sizeof(path), "%s/%s", folder, firmware->file);
  file = fopen(path, "rb");
  if (!file) {
    return NULL;
  }
  bytes = unit_allocate(firmware->length + 1);
  assert_int_equal(fread(bytes, 1, firmware->length + 1, file), firmware->length);
  fclose(file);
  assert_string_equal(unit_sha256_text(bytes, firmware->length), firmware->sha256);
  return bytes;
}

void firmware_load(struct built_image *image, enum firmware_version version)
{
  const struct firmware *firmware = &firmwares[version];
  struct image_plan plan;

  memset(image, 0, sizeof(*image));
  image->bytes = load_real(firmware);
  image->length = image->info.length = firmware->length;
  if (image->bytes) {
    return;
  }
  image_plan_sized(&plan, firmware->seed, firmware->length);
  plan.version = firmware->version;
  plan.variant = firmware->variant;
  plan.variant_every = 12;
  image_build(image, &plan);
}

void firmware_announce(const char *test)
{
  bool real = true;

  for (size_t i = 0; i < sizeof(firmwares) / sizeof(firmwares[0]); i++) {
    uint8_t *bytes = load_real(&firmwares[i]);

    real = real && bytes != NULL;
    free(bytes);
  }
  print_message("%s: %s\n", test,
                real ? "on the real images of LIFEBOAT_FIRMWARE"
                     : "LIFEBOAT_FIRMWARE does not name all real images, so on made ones of the same sizes");
}
