// SPDX-License-Identifier: MIT
/*
 * What lies behind a record of otadata, written and read for the tests from docs/SPEC.md alone: it shares no code with
 * lib/, so that the two check each other. And a module with images whose digests are known, and its boots.
 */
#ifndef TESTS_UNIT_SUPPORT_TRIAL_BYTES_H
#define TESTS_UNIT_SUPPORT_TRIAL_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/support/fixture.h"

#define OTADATA_AT           0xd000U /* in every layout of the fixture */
#define OTADATA_HALF         0x1000U
#define UNDEFINED            0xFFFFFFFFU

/* Offsets in a half. */
#define AT_TAG               64U
#define AT_CONFIRMED         128U
#define AT_SETTLED           136U
#define AT_REJECTED          144U
#define AT_CAUSE             152U
#define AT_DEPOT             160U
#define AT_QUARTERS          168U
#define AT_MIRRORED          184U
#define AT_BOOTS             192U

#define KIND_TRIAL           1U
#define KIND_AT_ONCE         2U

/* The byte of a boot. */
#define BOOT_STARTED         0xFCU
#define BOOT_SURVIVED        0xF0U
#define BOOT_CLOSED          0xCCU
#define BOOT_SURVIVED_CLOSED 0xC0U
#define BOOT_FAILED          0x3CU
#define BOOT_SURVIVED_FAILED 0x30U

struct trial_tag {
  uint32_t sequence;
  uint8_t kind;
  uint8_t attempts;
  uint8_t depot_expected;
  uint8_t digest[32];
};

/* The first byte of a half of otadata. */
uint8_t *trial_half(struct fixture *fixture, uint32_t index);

/* Reads the tag of a half: false if one of its 64 bytes is not what the format says. */
bool trial_tag_decode(const uint8_t *half, struct trial_tag *tag);
void trial_tag_encode(uint8_t *half, const struct trial_tag *tag);

/* Makes a half: a fresh record and its tag. `digest` may be NULL: not known. */
void trial_put(struct fixture *fixture, uint32_t index, uint32_t sequence, uint8_t kind, uint8_t attempts,
               const uint8_t *digest);

/* Makes the 8 bytes at that offset zero, as a whole mark is. */
void trial_put_mark(struct fixture *fixture, uint32_t index, uint32_t at);

/* Puts a made image into a partition and tells its digest, the last 32 bytes of it. */
void trial_put_image(struct fixture *fixture, const char *label, uint32_t seed, uint8_t digest[32]);

/* A module in miniature with three images, of which `digest` are the digests: factory (if wanted), ota_0, ota_1. */
struct trial_module {
  struct fixture fixture;
  uint8_t digest[3][32];
};

enum { FACTORY, OTA_0, OTA_1 };

void trial_open(struct trial_module *module, bool factory);
void trial_close(struct trial_module *module);

/* Puts those images into any fixture that has the slots. */
void trial_put_images(struct fixture *fixture, uint8_t digest[3][32], bool factory);

/* lb_boot after such a reset. Fails the test if anything is erased, or programmed outside of otadata. */
int trial_boot(struct fixture *fixture, enum lb_reset reset, struct lb_boot_decision *decision);

/* Boots, which has to end well, and compares what boots. */
void trial_boots(struct fixture *fixture, enum lb_reset reset, const char *label, bool on_trial);

/* Selects a slot as lb_otadata_select_slot does, all steps; or factory. */
int trial_select(struct fixture *fixture, const struct lb_selection *selection);
int trial_select_factory(struct fixture *fixture);

#endif
