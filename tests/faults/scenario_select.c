// SPDX-License-Identifier: MIT
/* Selecting what is there already. */
#include "tests/faults/scenarios.h"

static const struct step other_at_once[] = {
    {.perform = step_select, .slot = SLOT_OTA(1)},
};

static const struct step other_on_trial[] = {
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = 3},
};

static const struct step to_and_fro[] = {
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = 2},
    {.perform = step_select, .slot = SLOT_OTA(0)},
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = 2},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

static const struct step factory[] = {
    {.perform = step_select, .slot = SLOT_FACTORY},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = 3},
};

static const struct step trial_then_factory[] = {
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = 3},
    {.perform = step_select, .slot = SLOT_FACTORY},
};

#define BOTH     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_NEW}, .broken = NO_SLOT
#define OLD_RUNS .boots = {SLOT_OTA(0), IMAGE_OLD}

const struct scenario scenarios_select[] = {
    {.name = "select-at-once", BOTH, .records = {{1, UNDEFINED}, {0, 0}}, OLD_RUNS, STEPS(other_at_once)},
    {.name = "select-on-trial", BOTH, .records = {{1, UNDEFINED}, {0, 0}}, OLD_RUNS, STEPS(other_on_trial)},
    {.name = "select-before", BOTH, .records = {{3, UNDEFINED}, {2, UNDEFINED}}, OLD_RUNS, STEPS(other_at_once)},
    {.name = "select-to-and-fro", BOTH, .records = {{1, UNDEFINED}, {0, 0}}, OLD_RUNS, STEPS(to_and_fro)},
    {.name = "select-factory", BOTH, .records = {{2, UNDEFINED}, {3, UNDEFINED}}, OLD_RUNS, STEPS(factory)},
    {.name = "select-factory-on-trial", BOTH, .records = {{1, 2}, {0, 0}}, OLD_RUNS, STEPS(trial_then_factory)},
    {.name = "select-without-factory",
     .layout = LAYOUT_7M,
     .content = {IMAGE_NONE, IMAGE_OLD, IMAGE_NEW},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(to_and_fro)},
    {.name = "select-last-sequence", BOTH, .records = {{0xFFFFFFFDU, UNDEFINED}, {0, 0}}, OLD_RUNS, STEPS(to_and_fro)},
    {0},
};
