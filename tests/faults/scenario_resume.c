// SPDX-License-Identifier: MIT
/* Updates that go on where they were cut. */
#include "tests/faults/scenarios.h"

#define ETAG "\"5f3a-1\""

static const struct step resumed[] = {
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3, .validator = ETAG},
};

static const struct step link_lost[] = {
    {.perform = step_lose_link, .image = IMAGE_NEW, .bytes = 3000, .attempts = 3, .validator = ETAG},
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3, .validator = ETAG},
};

static const struct step something_else[] = {
    {.perform = step_lose_link, .image = IMAGE_NEW, .bytes = 4500, .attempts = 3, .validator = ETAG},
    {.perform = step_update, .image = IMAGE_NEXT, .attempts = 3},
};

static const struct step whole_life[] = {
    {.perform = step_update, .image = IMAGE_NEW, .attempts = 3, .validator = ETAG},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
    {.perform = step_survive},
    {.perform = step_reach_depot},
    {.perform = step_confirm},
    {.perform = step_update, .image = IMAGE_NEXT, .attempts = 3, .validator = "\"5f3a-2\""},
    {.perform = step_reboot, .reset = LB_RESET_COMMANDED},
};

const struct scenario scenarios_resume[] = {
    {.name = "resume",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(resumed)},
    {.name = "resume-from-factory",
     .content = {IMAGE_FACTORY},
     .broken = NO_SLOT,
     .boots = {SLOT_FACTORY, IMAGE_FACTORY},
     STEPS(resumed)},
    {.name = "resume-without-factory",
     .layout = LAYOUT_7M,
     .content = {IMAGE_NONE, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(resumed)},
    {.name = "resume-lost-link",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(link_lost)},
    {.name = "discard-for-another",
     .content = {IMAGE_FACTORY, IMAGE_OLDER, IMAGE_OLD},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLDER},
     STEPS(something_else)},
    {.name = "whole-life",
     .content = {IMAGE_FACTORY, IMAGE_OLD, IMAGE_OLDER},
     .broken = NO_SLOT,
     .records = {{1, UNDEFINED}, {0, 0}},
     .boots = {SLOT_OTA(0), IMAGE_OLD},
     STEPS(whole_life)},
    {0},
};
