// SPDX-License-Identifier: MIT
/* What is asked again and again: the promises that can be judged by looking at the chip. */
#ifndef TESTS_FAULTS_CHECKS_H
#define TESTS_FAULTS_CHECKS_H

#include "tests/faults/engine.h"

/* Which image lies in a slot, byte for byte and with no unstable bit; IMAGE_NONE if none of the known ones. */
enum image_name check_image_in(struct run *run, uint32_t slot);

/* 4 and 9: otadata is legal for ESP-IDF, and what it selects is whole. `settled`: no cut came since the last boot. */
void check_otadata(struct run *run, bool settled);

/* 2: factory is what it was. 3: so is what runs, and nothing tried to change either. */
void check_untouched(struct run *run);

/* 1 and 5: what booted is whole, and it is what may boot. 6: a trial ends when it should. */
void check_booted(struct run *run);

/* The settings are the old ones or the new ones. */
void check_setting(struct run *run);

/* What a stored entry of the history says, so that it can be told from others. */
#define NOTE_SIZE(number) (100000U + (number))

/* All entries of the history are there, and what was being stored, if it is there, is whole. */
void check_history(struct run *run);

#endif
