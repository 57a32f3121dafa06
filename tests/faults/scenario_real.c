// SPDX-License-Identifier: MIT
/* The module's own chip and layouts. */
#include "tests/faults/scenarios.h"

static const struct step update[] = {
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_survive},
    {.perform = step_confirm},
};

static const struct step over_older[] = {
    {.perform = step_update, .image = IMAGE_NEXT, .attempts = 3, .validator = ""},
};

static const struct step resumed[] = {
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3, .validator = "\"real\""},
};

static const struct step selections[] = {
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = 3},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_reboot, .reset = LB_RESET_CRASH},
    {.perform = step_reject},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_select, .slot = SLOT_FACTORY},
};

static const struct step settings[] = {
    {.perform = step_set, .text = "https://depot.example/ovms3"},
    {.perform = step_set, .text = "https://other.example/ovms3"},
};

const struct scenario scenarios_real[] = {
    {.name = "real-update",
     .geometry = GEOMETRY_REAL,
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(update)},
    {.name = "real-update-7m",
     .geometry = GEOMETRY_REAL,
     .layout = LAYOUT_7M,
     .content = {IMAGE_NONE, IMAGE_OLDER, IMAGE_OLD},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLDER},
     STEPS(over_older)},
    {.name = "real-resume",
     .geometry = GEOMETRY_REAL,
     .content = {IMAGE_FACTORY},
     .broken = NO_SLOT,
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(resumed)},
    {.name = "real-selections",
     .geometry = GEOMETRY_REAL,
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_NEW},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(selections)},
    {.name = "real-settings",
     .geometry = GEOMETRY_REAL,
     .content = {IMAGE_FACTORY},
     .broken = NO_SLOT,
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(settings)},
    {0},
};
