// SPDX-License-Identifier: MIT
/* What a failed trial goes back to: slots that break, commands between a selection and its reset, three slots. */
#include "tests/faults/scenarios.h"

#define LONG_TRIAL 12 /* attempts: more than cuts in a row, lest a trial ends in the middle */

#define NEW_RUNS_ON_TRIAL                                                                                              \
  {.perform = step_select, .slot = SLOT_OTA(1), .attempts = LONG_TRIAL},                                               \
  {                                                                                                                    \
    .perform = step_reboot, .reset = LB_RESET_COMMANDED                                                                \
  }

static const struct step breaks[] = {
    NEW_RUNS_ON_TRIAL,
    {.perform = step_break, .slot = SLOT_OTA(1), .reset = LB_RESET_CRASH},
    {.perform = step_update, .image = IMAGE_NEXT, .attempts = 3},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

static const struct step breaks_before_it_ran[] = {
    {.perform = step_select, .slot = SLOT_OTA(1), .attempts = LONG_TRIAL},
    {.perform = step_break, .slot = SLOT_OTA(1), .reset = LB_RESET_COMMANDED},
    {.perform = step_update, .image = IMAGE_OLDER, .attempts = 3},
};

static const struct step breaks_then_over_confirmed[] = {
    NEW_RUNS_ON_TRIAL,
    {.perform = step_break, .slot = SLOT_OTA(1), .reset = LB_RESET_CRASH},
    {.perform = step_update_to, .from = SLOT_FACTORY, .slot = SLOT_OTA(0), .image = IMAGE_NEXT, .attempts = 3},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

static const struct step update_again_before_reset[] = {
    {.perform = step_update_to, .from = SLOT_OTA(0), .slot = NO_SLOT, .image = IMAGE_NEW, .attempts = LONG_TRIAL},
    {.perform = step_update_to, .from = SLOT_OTA(0), .slot = NO_SLOT, .image = IMAGE_OLDER, .attempts = LONG_TRIAL},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

static const struct step select_back_before_reset[] = {
    NEW_RUNS_ON_TRIAL,
    {.perform = step_select, .slot = SLOT_OTA(0)},
    {.perform = step_refused,
     .from = SLOT_OTA(1),
     .slot = SLOT_OTA(0),
     .image = IMAGE_NEXT,
     .expected = LB_ERR_TARGET_FALLBACK},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

static const struct step explicit_target[] = {
    {.perform = step_update_to,
     .from = SLOT_OTA(0),
     .slot = SLOT_OTA(2),
     .image = IMAGE_NEW,
     .attempts = 3,
     .validator = "\"5f3a-1\""},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_confirm},
};

static const struct step three_slots[] = {
    NEW_RUNS_ON_TRIAL,
    {.perform = step_update_to, .from = SLOT_OTA(1), .slot = NO_SLOT, .image = IMAGE_NEXT, .attempts = LONG_TRIAL},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_confirm},
};

static const struct step history[] = {
    {.perform = step_note},    {.perform = step_update, .image = IMAGE_NEXT, .attempts = 3},
    {.perform = step_note},    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_confirm}, {.perform = step_change_note},
};

static const struct step history_alone[] = {
    {.perform = step_note},
    {.perform = step_note},
    {.perform = step_change_note},
};

#define OLD_RUNS .records = {{1, UNDEFINED}, {0, 0}}, .boots = {SLOT_OTA(0), IMAGE_OLD}
#define BOTH     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_NEW}, .broken = NO_SLOT
#define THREE_IMAGES                                                                                                   \
  {                                                                                                                    \
    IMAGE_FACTORY, IMAGE_OLD, IMAGE_NEW, IMAGE_OLDER                                                                   \
  }
#define THREE .layout = LAYOUT_THREE, .content = THREE_IMAGES, .broken = NO_SLOT

const struct scenario scenarios_fallback[] = {
    {.name = "trial-breaks", BOTH, OLD_RUNS, STEPS(breaks)},
    {.name = "trial-breaks-at-once", BOTH, OLD_RUNS, STEPS(breaks_before_it_ran)},
    {.name = "trial-breaks-from-factory",
     .content = {IMAGE_FACTORY, IMAGE_NONE, IMAGE_NEW},
     .broken = NO_SLOT,
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(breaks)},
    {.name = "trial-breaks-no-factory",
     .layout = LAYOUT_7M,
     .content = {IMAGE_NONE, IMAGE_OLD, IMAGE_NEW},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(breaks)},
    {.name = "update-over-fallback", BOTH, OLD_RUNS, STEPS(breaks_then_over_confirmed)},
    {.name = "update-before-reset", BOTH, OLD_RUNS, STEPS(update_again_before_reset)},
    {.name = "select-before-reset", BOTH, OLD_RUNS, STEPS(select_back_before_reset)},
    {.name = "explicit-target", THREE, OLD_RUNS, STEPS(explicit_target)},
    {.name = "three-slots-on-trial", THREE, OLD_RUNS, STEPS(three_slots)},
    {.name = "history-and-update",
     .geometry = GEOMETRY_SETTINGS,
     .content = {IMAGE_FACTORY, IMAGE_OLD},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(history)},
    {.name = "history-new-page",
     .geometry = GEOMETRY_SETTINGS,
     .content = {IMAGE_FACTORY, IMAGE_OLD},
     .broken = NO_SLOT,
     .settings = 121,
     OLD_RUNS,
     STEPS(history_alone)},
    {0},
};
