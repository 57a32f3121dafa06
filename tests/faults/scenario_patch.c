// SPDX-License-Identifier: MIT
/* Updates by patch: from every base there is, with a tail and without, damaged, replaced, and beside whole images. */
#include "tests/faults/scenarios.h"

#define ETAG    "\"5f3a-1\""
#define DEFAULT LB_PATCH_PROFILE_DEFAULT
#define SMALL   LB_PATCH_PROFILE_SMALL

/* A patch of IMAGE, for a trial. */
#define BY(what, from_what, with)                                                                                      \
  .image = IMAGE_##what, .base = IMAGE_##from_what, .profile = with, .attempts = 3, .validator = ETAG

static const struct step of_running[] = {{.perform = step_patch, BY(BUILD, OLD, DEFAULT)}};
static const struct step of_running_small[] = {{.perform = step_patch, BY(BUILD, OLD, SMALL)}};
static const struct step of_other_slot[] = {
    {.perform = step_patch, BY(BUILD, OLD, SMALL), .slot = SLOT_OTA(2)},
};
static const struct step of_version[] = {{.perform = step_patch, BY(NEXT, OLD, DEFAULT)}};
static const struct step of_factory[] = {{.perform = step_patch, BY(BUILD, FACTORY, SMALL)}};
static const struct step of_nothing[] = {{.perform = step_patch, BY(BUILD, NONE, DEFAULT)}};
static const struct step of_wrong_base[] = {
    {.perform = step_patch, BY(NEXT, BUILD, SMALL), .expected = LB_ERR_PATCH_BASE},
};
static const struct step of_broken_base[] = {
    {.perform = step_patch, BY(NEXT, OLD, SMALL), .slot = SLOT_OTA(2), .expected = LB_ERR_PATCH_BASE},
};

static const struct step base_breaks[] = {
    {.perform = step_stage, BY(BUILD, OLD, SMALL), .slot = SLOT_OTA(2)},
    {.perform = step_break, .slot = SLOT_OTA(1), .reset = LB_RESET_POWER_ON},
    {.perform = step_patch, BY(BUILD, OLD, SMALL), .slot = SLOT_OTA(2), .expected = LB_ERR_PATCH_BASE},
};

static const struct step waits[] = {
    {.perform = step_stage, BY(BUILD, OLD, SMALL)},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_patch, BY(BUILD, OLD, SMALL)},
};

static const struct step damaged[] = {
    {.perform = step_stage, BY(BUILD, OLD, SMALL)},
    {.perform = step_damage_stage, .bytes = 500},
    {.perform = step_patch, BY(BUILD, OLD, SMALL), .expected = LB_ERR_PATCH_CRC},
};

static const struct step beside_whole[] = {
    {.perform = step_stage, BY(NEXT, OLD, SMALL)},
    {.perform = step_lose_link, .image = IMAGE_NEW, .bytes = 3000, .attempts = 3, .validator = ETAG},
    {.perform = step_patch, BY(NEXT, OLD, SMALL)},
};

static const struct step under_whole[] = {
    {.perform = step_stage, BY(NEXT, OLD, SMALL)},
    {.perform = step_update, .image = IMAGE_FULL, .attempts = 3},
};

static const struct step replaced[] = {
    {.perform = step_stage, BY(NEXT, OLD, SMALL)},
    {.perform = step_patch, BY(BUILD, OLD, SMALL)},
};

static const struct step and_back[] = {
    {.perform = step_patch, BY(BUILD, OLD, SMALL)},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_survive},
    {.perform = step_reach_depot},
    {.perform = step_confirm},
    {.perform = step_patch, BY(NEXT, BUILD, SMALL)},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

#define OLD_RUNS .records = {{1, UNDEFINED}, {0, 0}}, .boots = {SLOT_OTA(0), IMAGE_OLD}

const struct scenario scenarios_patch[] = {
    {.name = "patch",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 4,
     OLD_RUNS,
     STEPS(of_running)},
    {.name = "patch-small",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     OLD_RUNS,
     STEPS(of_running_small)},
    {.name = "patch-of-a-version",
     .content = {IMAGE_FACTORY, IMAGE_OLD},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(of_version)},
    {.name = "patch-from-factory",
     .content = {IMAGE_FACTORY},
     .broken = NO_SLOT,
     .thin = 8,
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(of_factory)},
    {.name = "patch-from-other-slot",
     .layout = LAYOUT_THREE,
     .content = {IMAGE_FACTORY, IMAGE_OLDER, IMAGE_OLD},
     .broken = NO_SLOT,
     .thin = 8,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLDER},
     STEPS(of_other_slot)},
    {.name = "patch-from-nothing",
     .layout = LAYOUT_7M,
     .content = {IMAGE_NONE, IMAGE_OLD},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(of_nothing)},
    {.name = "patch-wrong-base",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(of_wrong_base)},
    {.name = "patch-broken-base",
     .layout = LAYOUT_THREE,
     .content = {IMAGE_FACTORY, IMAGE_OLDER, IMAGE_OLD},
     .broken = SLOT_OTA(1),
     .thin = 8,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLDER},
     STEPS(of_broken_base)},
    {.name = "patch-base-breaks",
     .layout = LAYOUT_THREE,
     .content = {IMAGE_FACTORY, IMAGE_OLDER, IMAGE_OLD},
     .broken = NO_SLOT,
     .thin = 8,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLDER},
     STEPS(base_breaks)},
    {.name = "patch-without-room",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_FULL},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(of_running_small)},
    {.name = "patch-waits",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(waits)},
    {.name = "patch-damaged",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(damaged)},
    {.name = "patch-beside-whole",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(beside_whole)},
    {.name = "patch-under-whole",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 16,
     OLD_RUNS,
     STEPS(under_whole)},
    {.name = "patch-replaced",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 8,
     OLD_RUNS,
     STEPS(replaced)},
    {.name = "patch-whole-life",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 16,
     OLD_RUNS,
     STEPS(and_back)},
    {.name = "patch-real",
     .geometry = GEOMETRY_REAL,
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .thin = 16,
     OLD_RUNS,
     STEPS(of_running)},
    {0},
};
