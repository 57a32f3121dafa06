// SPDX-License-Identifier: MIT
/* Updates from every kind of module there is, without a journal: a local file, or a server without a validator. */
#include "tests/faults/scenarios.h"

static const struct step new_at_once[] = {
    {.perform = step_update, .image = IMAGE_NEW},
};

static const struct step new_on_trial[] = {
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3},
};

static const struct step next_over_older[] = {
    {.perform = step_update, .image = IMAGE_NEXT, .attempts = 3, .validator = ""},
};

static const struct step full_slot[] = {
    {.perform = step_update, .image = IMAGE_FULL, .attempts = 2, .validator = "\"full\""},
};

static const struct step refused[] = {
    {.perform = step_refused,
     .from = SLOT_OTA(0),
     .slot = NO_SLOT,
     .image = IMAGE_FOREIGN,
     .expected = LB_ERR_IMAGE_PROJECT},
    {.perform = step_refused, .from = SLOT_OTA(0), .slot = NO_SLOT, .image = IMAGE_CHIP, .expected = LB_ERR_IMAGE_CHIP},
    {.perform = step_refused,
     .from = SLOT_OTA(0),
     .slot = SLOT_OTA(0),
     .image = IMAGE_NEW,
     .expected = LB_ERR_TARGET_RUNNING},
    {.perform = step_refused,
     .from = SLOT_OTA(0),
     .slot = SLOT_FACTORY,
     .image = IMAGE_NEW,
     .expected = LB_ERR_TARGET_FACTORY},
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3},
    {.perform = step_refused,
     .from = SLOT_OTA(0),
     .slot = NO_SLOT,
     .image = IMAGE_FOREIGN,
     .expected = LB_ERR_IMAGE_PROJECT},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_refused,
     .from = SLOT_OTA(1),
     .slot = SLOT_OTA(0),
     .image = IMAGE_OLDER,
     .expected = LB_ERR_TARGET_FALLBACK},
};

#define OLD_RUNS .records = {{1, UNDEFINED}, {0, 0}}, .boots = {SLOT_OTA(0), IMAGE_OLD}

const struct scenario scenarios_update[] = {
    {.name = "first-update",
     .content = {IMAGE_FACTORY},
     .broken = NO_SLOT,
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(new_on_trial)},
    {.name = "update-at-once", .content = {IMAGE_FACTORY, IMAGE_OLD}, .broken = NO_SLOT, OLD_RUNS, STEPS(new_at_once)},
    {.name = "update-over-older",
     .content = {IMAGE_FACTORY, IMAGE_OLDER, IMAGE_OLD},
     .broken = NO_SLOT,
     .records = {{3, UNDEFINED}, {2, UNDEFINED}},
     .boots = {SLOT_OTA(0), IMAGE_OLDER},
     STEPS(next_over_older)},
    {.name = "update-over-selected",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = SLOT_OTA(1),
     .records = {{1, UNDEFINED}, {2, UNDEFINED}},
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(new_on_trial)},
    {.name = "update-without-factory",
     .layout = LAYOUT_7M,
     .content = {IMAGE_NONE, IMAGE_OLD},
     .broken = NO_SLOT,
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(new_on_trial)},
    {.name = "update-of-three-slots",
     .layout = LAYOUT_THREE,
     .content = {IMAGE_FACTORY, IMAGE_OLDER, IMAGE_NONE, IMAGE_OLD},
     .broken = NO_SLOT,
     .records = {{2, UNDEFINED}, {3, UNDEFINED}},
     .boots = {SLOT_OTA(2), IMAGE_OLD},
     STEPS(new_on_trial)},
    {.name = "update-last-sequence",
     .content = {IMAGE_FACTORY, IMAGE_OLDER, IMAGE_OLD},
     .broken = NO_SLOT,
     .records = {{0xFFFFFFFEU, UNDEFINED}, {0xFFFFFFFDU, UNDEFINED}},
     .boots = {SLOT_OTA(1), IMAGE_OLD},
     STEPS(new_on_trial)},
    {.name = "update-fills-slot", .content = {IMAGE_FACTORY, IMAGE_OLD}, .broken = NO_SLOT, OLD_RUNS, STEPS(full_slot)},
    {.name = "refusals",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(refused)},
    {0},
};
