// SPDX-License-Identifier: MIT
/* Trials and their ends. */
#include "tests/faults/scenarios.h"

#define NEW_ON_TRIAL                                                                                                   \
  {                                                                                                                    \
    .perform = step_select, .slot = SLOT_OTA(1), .attempts = 3                                                         \
  }

static const struct step confirm[] = {
    NEW_ON_TRIAL,
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_survive},
    {.perform = step_reach_depot},
    {.perform = step_confirm},
    {.perform = step_reboot, .reset = LB_RESET_POWER_ON},
};

static const struct step reject[] = {
    NEW_ON_TRIAL,
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_reject},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_update, .image = IMAGE_OLDER, .attempts = 3},
};

static const struct step crash_loop[] = {
    NEW_ON_TRIAL,
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_reboot, .reset = LB_RESET_CRASH},
    {.perform = step_reboot, .reset = LB_RESET_WATCHDOG},
    {.perform = step_reboot, .reset = LB_RESET_CRASH},
    {.perform = step_reboot, .reset = LB_RESET_CRASH},
};

static const struct step power_loop[] = {
    NEW_ON_TRIAL,
    {.perform = step_reboot, .reset = LB_RESET_POWER_ON},
    {.perform = step_reboot, .reset = LB_RESET_POWER_ON},
    {.perform = step_reboot, .reset = LB_RESET_POWER_ON},
    {.perform = step_reboot, .reset = LB_RESET_POWER_ON},
};

static const struct step reboots_in_order[] = {
    NEW_ON_TRIAL,
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_quarter},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_survive},
    {.perform = step_reboot, .reset = LB_RESET_POWER_ON},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_survive},
    {.perform = step_confirm},
};

static const struct step confirm_then_update[] = {
    NEW_ON_TRIAL,
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_confirm},
    {.perform = step_update, .image = IMAGE_NEXT, .attempts = 2},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_reject},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

#define MODULE                                                                                                         \
  .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_NEW}, .broken = NO_SLOT, .records = {{1, UNDEFINED}, {0, 0}},            \
  .boots = {SLOT_OTA(0), IMAGE_OLD}

const struct scenario scenarios_trial[] = {
    {.name = "trial-confirm", MODULE, STEPS(confirm)},
    {.name = "trial-reject", MODULE, STEPS(reject)},
    {.name = "trial-crash-loop", MODULE, STEPS(crash_loop)},
    {.name = "trial-power-loop", MODULE, STEPS(power_loop)},
    {.name = "trial-reboots", MODULE, STEPS(reboots_in_order)},
    {.name = "trial-confirm-update", MODULE, STEPS(confirm_then_update)},
    {.name = "trial-from-factory",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_NEW},
     .broken = NO_SLOT,
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(crash_loop)},
    {.name = "trial-without-factory",
     .layout = LAYOUT_7M,
     .content = {IMAGE_NONE, IMAGE_OLD, IMAGE_NEW},
     .broken = NO_SLOT,
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(crash_loop)},
    {0},
};
