// SPDX-License-Identifier: MIT
/*
 * The steps of which scripts are made. A step that is done again after a cut finds out by itself what is left of it: it
 * does nothing if all of it had happened, or if what it works on has gone, because a trial has come to its end.
 *
 * Each says to the ledger what may be the case from its first operation on, and what is the case once it is done.
 */
#ifndef TESTS_FAULTS_STEPS_H
#define TESTS_FAULTS_STEPS_H

#include "tests/faults/engine.h"

/*
 * Writes .image into the slot that the library chooses, and selects it on a trial of .attempts (0: no trial).
 * .validator is the source's: with one it goes on where it was cut. The same step again has to succeed; with a
 * validator it may transfer what is left and one block.
 */
void step_update(struct run *run, const struct step *step);

/*
 * The same, into .slot (NO_SLOT: the library chooses) while .from runs. Where something else runs, because of cuts,
 * nothing is done.
 */
void step_update_to(struct run *run, const struct step *step);

/* The same as step_update, but the link is lost after .bytes, and nobody goes on: the next step may. */
void step_lose_link(struct run *run, const struct step *step);

/*
 * An update to .slot (NO_SLOT: the one that the library chooses) while .from runs, which has to be refused with
 * .expected before anything is erased or programmed. Where something else runs, because cuts made an end of a trial,
 * nothing is tried.
 */
void step_refused(struct run *run, const struct step *step);

/*
 * Updates to .image by a patch of .profile from .base (IMAGE_NONE: from nothing), into .slot (0: the library chooses):
 * it is fetched into the tail of the slot, checked and applied from there, or, where there is no room, applied as it
 * comes. The base is whichever slot claims to hold it; a patch whose base none holds is tried on what runs. A patch
 * that fails, which .expected has to be the reason of, gives way to the image as a whole. .validator is the server's.
 *
 * The same step again fetches nothing that was staged before, but the sector that was cut; and nothing touches the
 * target's image before the patch is whole and its base the right one.
 */
void step_patch(struct run *run, const struct step *step);

/* The same, up to where the patch is checked: it waits, and nobody goes on. */
void step_stage(struct run *run, const struct step *step);

/* A bit flips in the patch that waits, .bytes behind its beginning. */
void step_damage_stage(struct run *run, const struct step *step);

/* Copies the image in .from into .slot, and does not select it. */
void step_copy(struct run *run, const struct step *step);

/* Erases .slot. */
void step_erase(struct run *run, const struct step *step);

/* Selects .slot, an OTA slot or factory; on trial if .attempts is not 0 and it was not confirmed. */
void step_select(struct run *run, const struct step *step);

/* A bit of the image in .slot flips, and the processor starts again, because of .reset. */
void step_break(struct run *run, const struct step *step);

/* The processor starts again, because of .reset. Before a commanded reset the firmware says that it ends in order. */
void step_reboot(struct run *run, const struct step *step);

/* The trial time has run; the depot was reached; a quarter of an hour has run. */
void step_survive(struct run *run, const struct step *step);
void step_reach_depot(struct run *run, const struct step *step);
void step_quarter(struct run *run, const struct step *step);

/* The verdict: it is good; it is not, and the next boot goes back. */
void step_confirm(struct run *run, const struct step *step);
void step_reject(struct run *run, const struct step *step);

/* Stores the setting `ota server` as .text. */
void step_set(struct run *run, const struct step *step);

/* Puts an entry into the history; changes the last one. */
void step_note(struct run *run, const struct step *step);
void step_change_note(struct run *run, const struct step *step);

#define STEPS(list) .script = (list), .steps = sizeof(list) / sizeof((list)[0])

#endif
