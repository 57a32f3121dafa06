// SPDX-License-Identifier: MIT
/* Copying, erasing, settings. */
#include "tests/faults/scenarios.h"

static const struct step copy[] = {
    {.perform = step_copy, .from = SLOT_OTA(0), .slot = SLOT_OTA(1)},
};

static const struct step copy_and_select[] = {
    {.perform = step_copy, .from = SLOT_FACTORY, .slot = SLOT_OTA(1)},
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = 3},
};

static const struct step erase[] = {
    {.perform = step_erase, .slot = SLOT_OTA(1)},
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3},
};

static const struct step settings[] = {
    {.perform = step_set, .text = "https://depot.example/ovms3"},
    {.perform = step_set, .text = "http://192.168.4.2:8080/a/rather/longer/name/of/a/depot"},
    {.perform = step_set, .text = "x"},
};

static const struct step settings_and_update[] = {
    {.perform = step_set, .text = "https://depot.example/ovms3"},
    {.perform = step_update, .image = IMAGE_OLDER, .attempts = 3},
    {.perform = step_set, .text = "https://other.example/ovms3"},
};

#define OLD_RUNS .records = {{1, UNDEFINED}, {0, 0}}, .boots = {SLOT_OTA(0), IMAGE_OLD}

const struct scenario scenarios_slots[] = {
    {.name = "copy", .content = {IMAGE_FACTORY, IMAGE_OLD}, .broken = NO_SLOT, OLD_RUNS, STEPS(copy)},
    {.name = "copy-and-select",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(copy_and_select)},
    {.name = "erase", .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER}, .broken = NO_SLOT, OLD_RUNS, STEPS(erase)},
    {.name = "settings",
     .geometry = GEOMETRY_SETTINGS,
     .content = {IMAGE_FACTORY, IMAGE_OLD},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(settings)},
    {.name = "settings-new-page",
     .geometry = GEOMETRY_SETTINGS,
     .content = {IMAGE_FACTORY, IMAGE_OLD},
     .broken = NO_SLOT,
     .settings = 121,
     OLD_RUNS,
     STEPS(settings)},
    {.name = "settings-full",
     .geometry = GEOMETRY_SETTINGS,
     .content = {IMAGE_FACTORY, IMAGE_OLD},
     .broken = NO_SLOT,
     .settings = 373,
     OLD_RUNS,
     STEPS(settings)},
    {.name = "settings-and-update",
     .geometry = GEOMETRY_SETTINGS,
     .content = {IMAGE_FACTORY, IMAGE_OLD},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(settings_and_update)},
    {0},
};
