// SPDX-License-Identifier: MIT
/*
 * Updates that cost what has changed: before the job fetches an image whole it looks at the list beside it
 * (module/patch_list.h) and takes the cheapest patch that applies. One that cannot be used gives way to the next, and
 * at last to the whole image; nobody has to ask for that.
 *
 * A patch is fetched into the free tail of the target (lifeboat/stage.h), checked as a whole, and applied from there,
 * so that nothing has to come twice after a power cut. Where the tail is too short it is applied as it comes; a patch
 * in a file is checked, then applied as it is read. The image that comes of it goes through the same session as any
 * other.
 *
 * Asking is in patch_ask.c, choosing in flash_patch.c, fetching in patch_fetch.c, checking and applying in
 * patch_apply.c.
 */
#ifndef MODULE_FLASH_PATCH_H
#define MODULE_FLASH_PATCH_H

#include "lifeboat/stage.h"
#include "lifeboat/update_patch.h"
#include "module/patch_list.h"
#include "module/port.h"
#include "module/source.h"

#define FLASH_PATCH_CHUNK 256U /* bytes that are read of a stage at once */

struct flash_job;

/* How the job comes to its image. */
enum flash_patch_way {
  FLASH_PATCH_NOT,      /* it is fetched whole */
  FLASH_PATCH_STAGED,   /* by a patch that waits in the tail of the target */
  FLASH_PATCH_STREAMED, /* by one that is applied as it comes, from a server */
  FLASH_PATCH_FILE      /* or from a file */
};

struct flash_patch {
  enum flash_patch_way way;
  struct port_transfer *asking; /* for the list; NULL: not yet */
  uint64_t give_up_ms;
  bool replied;
  bool asks_again;     /* the link was lost: for the list, once more */
  bool cannot_stage;   /* the tail of the target cannot be written: patches are applied as they come */
  uint32_t whole_done; /* bytes that an interrupted update of the whole image has in the target already */
  uint32_t wasted;     /* bytes that came of patches that could not be used */
  struct patch_list list;
  uint32_t next;              /* offer of the list that is tried next */
  struct patch_offer offer;   /* the one that is used */
  char url[SOURCE_NAME_SIZE]; /* of its file */
  bool told_source;           /* "Download firmware from" has been said of it */
  bool flowing;               /* bytes of it are in the ring, or have been */
  bool making;                /* the stage is made; else what is there is measured */
  bool judged;                /* its header is what the list says */
  bool tidied;                /* the stage is gone again */
  struct lb_stage stage;
  uint32_t crc;   /* of a file */
  uint32_t given; /* bytes of it that the decoder has taken, or that have been checked */
  uint32_t chunk_at;
  uint32_t chunk_length;
  uint8_t chunk[FLASH_PATCH_CHUNK];
  struct lb_update_patch applying;
  struct lb_patch_default decoder;
};

/* A new job: nothing is known of any patch. */
void flash_patch_start(struct flash_job *job);

/* Ends what may be under way with the server, at any time. */
void flash_patch_stop(struct flash_job *job);

/* Goes on with the next offer of the list that is worth it, or with the whole image. LB_MORE, or why not. */
int flash_patch_try_next(struct flash_job *job);

/* Goes on with the whole image. LB_MORE. */
int flash_patch_fetch_whole(struct flash_job *job);

/* After an error: is it one for which another way to the image is tried? */
bool flash_patch_gives_way(const struct flash_job *job, int error);

/* The update has failed: a patch that leads to something bad need not wait for the next try. */
void flash_patch_fail(struct flash_job *job, int error);

/* Tells so, and goes on with the next offer or the whole image. LB_MORE. */
int flash_patch_next(struct flash_job *job, int error);

/* The update is done: what waited in the target's tail is discarded. LB_MORE, LB_OK. */
int flash_patch_tidy(struct flash_job *job);

/* How the session that is fed by a patch is to be begun. */
struct lb_update_config flash_patch_config(struct flash_job *job);

/* What the image was made from, for the history: the label of a slot, "-" for nothing, "" for an image that came whole.
 */
const char *flash_patch_base(const struct flash_job *job);

/* Where the bytes of the image come from, as its journal has it: the URL of the patch, or what the user gave. */
const char *flash_patch_origin(const struct flash_job *job);

/* How many bytes the source has to deliver: the patch, or the image. */
uint32_t flash_patch_wanted(const struct flash_job *job);

/* ---- patch_ask.c ---- */

/* Asks for the list; then the job is on its way with the cheapest offer, or with the whole image. LB_MORE, or why not.
 */
int patch_ask(struct flash_job *job);

/* ---- patch_fetch.c ---- */

/* Opens the patch's URL and begins, or goes on. LB_MORE, or what is wrong. */
int patch_fetch_connect(struct flash_job *job);

/* Makes the stage, or measures what is there of it. LB_MORE, or what is wrong. */
int patch_fetch_stage(struct flash_job *job);

/* Is the source a file with a patch? Then the job goes on with checking it. LB_MORE; LB_OK: no patch; or why not. */
int patch_fetch_from_file(struct flash_job *job);

/* ---- patch_apply.c ---- */

/* Checks the patch as a whole; then the session begins. LB_MORE, or what is wrong. */
int patch_apply_check(struct flash_job *job);

/* Begins the session that a patch feeds. LB_MORE, or what is wrong. */
int patch_apply_begin(struct flash_job *job);

/* Gives the decoder bytes of a patch that is applied as it comes. */
int patch_apply_write(struct flash_job *job, const uint8_t *data, uint32_t length, uint32_t *used);

/* Applies what is staged, or, once all has come, what is left. LB_MORE, or what is wrong. */
int patch_apply_step(struct flash_job *job);

#endif
