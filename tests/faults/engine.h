// SPDX-License-Identifier: MIT
/*
 * The explorer: cuts the power at every operation of the flash that a scenario does, in every way, and again at every
 * operation of each recovery, and asks each time whether the promises of docs/DESIGN.md were kept.
 *
 * How it works. A scenario is a script of steps (steps.h) on a module with given slots and otadata. The engine runs the
 * script with a flash driver of its own. Before each program and erase it marks the simulated chip, cuts that operation
 * there, boots what is left, goes on with the script from the step that was cut, to its end, boots some more times, and
 * goes back to the mark; then the operation happens, and the script goes on. The recovery is run the same way, so
 * cuts nest. Nothing is run twice, and a cut costs as much as its recovery.
 *
 * What must be true after a cut is kept in a ledger (ledger.h), which each nested recovery gets a copy of.
 *
 * A cut is named by its path: the number of the operation in the script and the way, then those in the recovery, and so
 * on. What it tears follows from the path and the seed. `--replay SCENARIO:OPERATION:WAY[:OPERATION:WAY...]:SEED` does
 * just that one again.
 */
#ifndef TESTS_FAULTS_ENGINE_H
#define TESTS_FAULTS_ENGINE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/boot.h"
#include "lifeboat/erase.h"
#include "lifeboat/history.h"
#include "lifeboat/nvs.h"
#include "lifeboat/stage.h"
#include "lifeboat/update.h"
#include "lifeboat/update_patch.h"
#include "ports/mbedtls/hash.h"
#include "ports/sim/flash.h"
#include "tests/faults/images.h"
#include "tests/faults/known_hash.h"
#include "tests/faults/ledger.h"
#include "tests/faults/patches.h"

#define MAX_DEPTH      10U    /* cuts in a row */
#define MAX_OPERATIONS 20000U /* of one run: more than any that ends */
#define PLACES_KNOWN   4096U  /* room for cuts of walks of one shard */
#define PROMISES       10U    /* docs/DESIGN.md numbers them from 1 */

/* ---- scenarios ---- */

enum geometry {
  GEOMETRY_MINIATURE, /* page 64, sector 512, block 2048 */
  GEOMETRY_SETTINGS,  /* the same with sectors of 4096, as nvs needs, and blocks of 16 KB */
  GEOMETRY_REAL       /* the module's chip */
};

enum layout {
  LAYOUT_OVMS, /* factory, ota_0, ota_1 */
  LAYOUT_7M,   /* ota_0, ota_1, no factory */
  LAYOUT_THREE /* factory, ota_0, ota_1, ota_2 */
};

struct run;

/* One step of a script: what is done and to what; see steps.h for the functions and what they use of this. */
struct step {
  void (*perform)(struct run *run, const struct step *step);
  enum image_name image;
  uint8_t slot;     /* SLOT_FACTORY, SLOT_OTA(n) */
  uint8_t from;     /* of a copy */
  uint8_t attempts; /* of a trial; 0: none */
  enum lb_reset reset;
  uint32_t bytes;        /* after which the link is lost */
  int expected;          /* error of a refusal */
  const char *validator; /* of the source: NULL none, "" a local file */
  enum image_name base;  /* of a patch; IMAGE_NONE: from nothing */
  uint8_t profile;       /* LB_PATCH_PROFILE_...; 0: no patch */
  const char *text;      /* a setting's value */
};

struct record_plan {
  uint32_t sequence; /* 0: blank */
  uint32_t state;
};

struct scenario {
  const char *name; /* lower case and hyphens: it is typed */
  enum geometry geometry;
  enum layout layout;
  enum image_name content[SLOTS]; /* what is in the slots at the beginning */
  uint8_t broken;                 /* SLOT_... of the one of them that has a flipped bit, or NO_SLOT */
  struct record_plan records[2];  /* of otadata at the beginning */
  uint32_t settings;              /* how often a setting was changed before, so that pages of nvs fill up */
  struct choice boots;            /* what then boots; the engine makes sure */
  uint32_t thin; /* of the cuts after cuts, and of walks, one in so many is tried: it is slow; 0: all */
  const struct step *script;
  uint32_t steps;
};

/* All scenarios, in the order of scenarios.c; NULL behind the last. */
const struct scenario *scenario_at(uint32_t index);

/* ---- what is counted ---- */

struct counts {
  uint64_t planned;
  uint64_t fired;
  uint64_t by_way[SIM_CUT_WAYS];
  uint64_t by_depth[MAX_DEPTH + 1];
  uint64_t stranded;
  uint64_t broken;
  uint64_t checks[PROMISES + 1];
  uint64_t operations; /* of the script, uncut */
};

/* ---- a run: the script, or the recovery after so many cuts ---- */

enum run_mode {
  RUN_COUNTING,  /* to its end, and its operations are noted */
  RUN_EXPLORING, /* each of them is cut on the way */
  RUN_CUTTING    /* the one of engine->path is cut, and the run is given up for its recovery */
};

struct cut_place {
  uint32_t operation; /* counted from 1 in its run */
  enum sim_cut way;
};

struct run {
  struct engine *engine;
  uint32_t level; /* cuts so far */
  enum run_mode mode;
  bool running_on; /* the script has ended: nothing is cut any more */
  struct ledger ledger;
  uint32_t operations;
  uint32_t reads;
  uint8_t *kinds;        /* enum sim_operation of each, MAX_OPERATIONS of them */
  uint32_t counted;      /* operations that could be cut, when it was counted */
  uint32_t first_step;   /* of the script: the one that it goes on with */
  jmp_buf ended;         /* where it goes when it has failed or was cut */
  struct lb_flash flash; /* what the library sees */
  struct lb_table table;
  struct lb_device device;
  struct lb_boot_decision decision;
  struct known_hash sha256;
  struct known_hash sha256_patch;
  struct lb_hash md5;
  struct mbedtls_hash md5_state;
  uint8_t sector[4096]; /* lent to updates */
  struct lb_stage stage;
  struct lb_update_patch by_patch;
  struct lb_patch_default decoder; /* of either profile */
  union {
    struct lb_verify verify;
    struct lb_update update;
    struct lb_select select;
    struct lb_target target;
    struct lb_erase erase;
    struct lb_nvs nvs;
    struct {
      struct lb_nvs nvs;
      struct lb_history history;
    } history;
  } work;
};

struct engine {
  const struct scenario *scenario;
  struct sim_flash chip;
  struct images images;
  struct patches patches;
  struct lb_partition slots[SLOTS]; /* size 0: not in this layout */
  struct lb_partition otadata;
  struct lb_partition nvs;
  uint8_t *reference; /* the chip at the beginning */
  uint64_t seed;
  uint32_t depth; /* cuts in a row that are tried exhaustively */
  uint32_t part;  /* of the last cuts in a row one in so many is tried; 1: all */
  uint32_t shard; /* of the script's operations those with number % shards == shard are cut */
  uint32_t shards;
  bool verbose; /* all failures are printed, not only the first ones */
  bool trace;   /* what happens is printed, for a replay */
  struct cut_place path[MAX_DEPTH];
  uint32_t path_length;
  uint32_t wanted_length; /* of the path, while one is replayed or walked */
  uint32_t walk_length;   /* cuts of a walk; 0: none is walked */
  uint64_t walk_seed;
  bool counts_this_cut;         /* of a walk or a replay */
  uint64_t known[PLACES_KNOWN]; /* hashes of the paths that walks went, 0: none */
  uint32_t known_count;
  struct counts counts;
  struct run *runs[MAX_DEPTH + 1];
};

/* ---- for steps and checks ---- */

/* The check of a promise: counts it, and ends the run as broken unless it holds. The text is a printf. */
#define CHECK(run, promise, holds, ...)                                                                                \
  do {                                                                                                                 \
    (run)->engine->counts.checks[promise]++;                                                                           \
    if (!(holds)) {                                                                                                    \
      run_fail((run), (promise), __VA_ARGS__);                                                                         \
    }                                                                                                                  \
  } while (0)

/* Ends the run: a promise is broken; with promise 0 the module is stranded, or a script does not do what it should. */
_Noreturn void run_fail(struct run *run, uint32_t promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Boots, checks what boots, and protects it and factory. */
void run_boot(struct run *run, enum lb_reset reset);

/* ---- for main ---- */

/* Makes the scenario's module. Aborts without memory. */
void engine_open(struct engine *engine, const struct scenario *scenario);
void engine_close(struct engine *engine);

/* How many operations the script does, uncut; 0 if it fails. */
uint32_t engine_count(struct engine *engine);

/* All cuts of this shard. */
void engine_explore(struct engine *engine);

/* `walks` random paths of up to `length` cuts each, chosen by the seed. */
void engine_walk(struct engine *engine, uint32_t walks, uint32_t length);

/* engine->path of wanted_length alone. True if all its cuts fired. */
bool engine_replay(struct engine *engine);

#endif
