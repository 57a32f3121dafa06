// SPDX-License-Identifier: MIT
/*
 * What is known of the module without looking at its flash: what was reported as done, what was under way when the
 * power went, and so what may boot now. It is kept beside the library, and shares nothing with it.
 */
#ifndef TESTS_FAULTS_LEDGER_H
#define TESTS_FAULTS_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/boot.h"
#include "tests/faults/images.h"

#define SLOT_FACTORY 0U
#define SLOT_OTA(n)  (1U + (n))
#define SLOTS        4U
#define NO_SLOT      0xFFU

struct choice {
  uint8_t slot;
  uint8_t image; /* enum image_name */
};

/* Does the loss of power now count as a failed attempt? */
enum loss { LOSS_IS_NOTHING, LOSS_MAY_COUNT, LOSS_COUNTS };

/* One thing that may be the case. */
struct belief {
  struct choice boots;
  bool trial;
  struct choice back; /* what its trial goes back to */
  uint8_t attempts;
  uint8_t failures_low; /* between these: a mark may have been in flight */
  uint8_t failures_high;
  enum loss loss;
  bool by_mark; /* a verdict: a mark of it that a cut left unstable may be seen later, when it was not seen at first */
};

#define BELIEFS 8U

struct ledger {
  uint32_t step; /* of the script: the one that is being done */
  struct belief beliefs[BELIEFS];
  uint32_t belief_count;
  bool booting;
  struct choice running;
  uint8_t content[SLOTS];   /* enum image_name: IMAGE_NONE while a slot is being written, and of a broken image */
  uint8_t broken;           /* SLOT_... of the one whose image has a flipped bit, until it is written; or NO_SLOT */
  bool hides;               /* otadata still selects the broken slot on trial: before that is written anew */
  struct choice hidden;     /* this is selected again */
  bool has_progress;        /* an update with a journal was cut */
  struct choice progress;   /* of that image in that slot */
  uint32_t position;        /* bytes of it that had been transferred */
  bool has_stage;           /* a patch waits, or a part of one */
  bool stage_whole;         /* all of it, and it was found to be right */
  bool stage_damaged;       /* a bit of it has flipped since */
  uint8_t stage_slot;       /* in the tail of that slot */
  uint8_t stage_patch;      /* number of the patch */
  uint32_t stage_position;  /* bytes of it that had been fetched */
  const char *setting;      /* the value that was stored; NULL: none */
  const char *setting_next; /* or this one, if one was being stored */
  uint32_t notes;           /* entries of the history that were stored */
  bool noting;              /* one more may be there */
};

/* It is certain that this boots. */
void ledger_start(struct ledger *ledger, struct choice boots);

/* What is selected now; there has to be exactly one belief. */
const struct belief *ledger_now(const struct ledger *ledger);

/* Selecting begins: this may be the case as well. Done: it is the case. */
void ledger_begin(struct ledger *ledger, const struct belief *next);
void ledger_done(struct ledger *ledger, const struct belief *next);

/* The belief after a selection of `choice`; attempts 0: it counts at once. */
struct belief ledger_selection(const struct ledger *ledger, struct choice choice, uint8_t attempts);

/* What a loss of power means from now on, in all beliefs that are on trial. */
void ledger_set_loss(struct ledger *ledger, enum loss loss);

/* The power went. */
void ledger_cut(struct ledger *ledger);

/* A boot begins. Before it, all that may be the case is worked out. */
void ledger_begin_boot(struct ledger *ledger, enum lb_reset reset);

/* What the bootloader handed over to: keeps the beliefs that agree. False if none does. */
bool ledger_booted(struct ledger *ledger, struct choice booted, const struct lb_boot_decision *decision);

#endif
