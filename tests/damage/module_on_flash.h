// SPDX-License-Identifier: MIT
/*
 * A module for the fault runs: simulated flash, images that are known, and what happens in its life, with the library
 * as a real one uses it: boot, update, resume, confirm, reject. Nothing here ends the program when something goes
 * wrong: results are told, and whoever breaks the flash judges them.
 */
#ifndef TESTS_DAMAGE_MODULE_ON_FLASH_H
#define TESTS_DAMAGE_MODULE_ON_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/boot.h"
#include "lifeboat/history.h"
#include "lifeboat/update.h"
#include "ports/mbedtls/hash.h"
#include "ports/sim/flash.h"
#include "tests/unit/support/image_builder.h"

#define LIFE_IMAGES   4U
#define LIFE_NO_IMAGE (-1)
#define LIFE_ATTEMPTS 3U /* failed ones that end a trial */
#define LIFE_SLOTS    3U /* app slots at the most */

enum life_chip {
  LIFE_MINIATURE, /* page 64, sector 512, block 2048; no settings, since they need sectors of 4096 */
  LIFE_REAL       /* the module's chip, though a small one: page 256, erase 4, 32 and 64 KB */
};

enum life_layout { LIFE_WITH_FACTORY, LIFE_WITHOUT_FACTORY };

/* The states of life that faults are tried on; each is reached from a new module by boots and updates. */
enum life_state {
  LIFE_FRESH,          /* one image, delivered; nothing was ever selected */
  LIFE_CONFIRMED,      /* an update, confirmed */
  LIFE_CONFIRMED_BOTH, /* two of them, so that both OTA slots hold an image */
  LIFE_ON_TRIAL,       /* after LIFE_CONFIRMED another one is on trial, and crashed once */
  LIFE_REJECTED,       /* ... and crashed three times: the confirmed one runs */
  LIFE_INTERRUPTED,    /* after LIFE_CONFIRMED an update was cut; there is a journal */
  LIFE_STATES
};

enum life_operation { LIFE_READ, LIFE_PROGRAM, LIFE_ERASE, LIFE_OPERATIONS };

struct life_update {
  uint32_t image;
  uint32_t stop_after; /* bytes after which it is abandoned; 0: none */
  const char *slot;    /* label of the target; NULL: as the library chooses */
  bool force;          /* also an image that failed its trial */
  bool no_resume;      /* begin anew, even if a journal says otherwise */
  bool only_compared;  /* of a local file: the validator is "" */
  /* told: */
  struct lb_partition target;
  uint32_t resumed_at; /* bytes that did not have to come again */
};

struct life {
  struct sim_flash flash;
  struct lb_flash driver;               /* what the library sees: it counts, so that nothing goes on for ever */
  uint64_t calls;                       /* of the driver in the present operation */
  bool endless;                         /* too many: the driver failed from then on */
  uint64_t operations[LIFE_OPERATIONS]; /* of each kind since life_fail_at */
  uint64_t fail_at;                     /* number of the one that fails; 0: none does */
  enum life_operation fail_kind;
  bool fail_silently;
  bool failed; /* it has */
  /* Told of each operation before it happens; NULL: nobody. */
  void (*watch)(void *context, enum life_operation kind, uint32_t address, uint32_t length);
  void *watch_context;
  struct lb_table made;  /* the partitions that there are */
  struct lb_table table; /* as the last boot found it */
  struct lb_device device;
  struct mbedtls_hash hash_states[2];
  struct lb_hash hashes[2];
  struct lb_verify verify;
  struct lb_boot_decision decision; /* of the last boot */
  int boot_result;
  bool has_settings;
  struct lb_nvs nvs;
  struct lb_history history;
  int history_error; /* the last one; LB_OK */
  bool history_open;
  struct lb_history_entry entry;
  struct built_image images[LIFE_IMAGES];
  struct lb_update update;
  uint8_t sector[4096];
};

/* A new module in that state. Ends the program if that state cannot be reached. Allocate it with calloc. */
void life_open(struct life *life, enum life_chip chip, enum life_layout layout, enum life_state state);
void life_close(struct life *life);
const char *life_state_name(enum life_state state);

/* The image that the life in this state would get next, and whether that has to be forced. */
struct life_update life_next_update(enum life_state state);

/* Makes other images of that many bytes. */
void life_resize_images(struct life *life, uint32_t length);

/* ---- what happens ---- */

/* Boots. LB_OK: life->decision says what. */
int life_boot(struct life *life, enum lb_reset reset);

/*
 * A whole update from what runs to where the library says, resumed if there is a journal; LB_OK, LB_MORE if it was
 * abandoned as asked, or the error. It is noted in the history, where there is one.
 */
int life_update(struct life *life, struct life_update *what);

/* The firmware lives through the trial time, reaches its depot, and is confirmed. */
int life_confirm(struct life *life);

/*
 * The operation of that kind and number fails once, counted from 1 and from now; silently: nothing is done, and the
 * driver says that it was. 0: none does.
 */
void life_fail_at(struct life *life, enum life_operation kind, uint64_t number, bool silently);

/* ---- what is known without the library ---- */

/* Which image the partition holds, byte for byte; LIFE_NO_IMAGE. */
int life_image_in(struct life *life, const struct lb_partition *slot);

/* The app slots, factory first, as they were made; their number. */
uint32_t life_slots(const struct life *life, struct lb_partition slots[LIFE_SLOTS]);
struct lb_partition life_partition(const struct life *life, const char *label);

/* Does any app slot hold a known image? */
bool life_any_image(struct life *life);

/* Factory and what runs refuse to be changed from now on, and count what tries to. */
void life_protect(struct life *life);
uint64_t life_violations(const struct life *life);

/* "LB_OK", "LB_ERR_..."; and has an error a name? */
const char *life_result_name(int result);
bool life_is_named(int result);

#endif
