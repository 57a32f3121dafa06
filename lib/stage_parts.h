// SPDX-License-Identifier: MIT
/* What the files of the stage share among themselves; nobody else includes this. */
#ifndef LIB_STAGE_PARTS_H
#define LIB_STAGE_PARTS_H

#include "lifeboat/stage.h"

#define LB_STAGE_ENTRY_SIZE     16U /* of an attempt */
#define LB_STAGE_ATTEMPTS_LEAST 4U  /* that there is room for behind the texts */

/* What a stage is at: as it was started it is made; as it was measured it begins another attempt, then takes bytes. */
enum lb_stage_phase {
  LB_STAGE_CLOSING,  /* the journal of an update that the stage reaches into is discarded */
  LB_STAGE_VOIDING,  /* a header that is there is made void */
  LB_STAGE_ERASING,  /* data and header */
  LB_STAGE_TEXTS,    /* are programmed */
  LB_STAGE_HEADER,   /* likewise */
  LB_STAGE_READING,  /* the header is read back */
  LB_STAGE_OPENED,   /* only the header is known */
  LB_STAGE_SCANNING, /* what is there is looked for, from the end down */
  LB_STAGE_MEASURED, /* the next byte that comes begins an attempt: the header is programmed once more */
  LB_STAGE_BEGUN,    /* the attempt is marked as begun */
  LB_STAGE_NOTING,   /* where it begins is programmed */
  LB_STAGE_CLEARING, /* all from there on is erased */
  LB_STAGE_CLEARED,  /* that is marked */
  LB_STAGE_TAKING,   /* bytes */
  LB_STAGE_CHECKING  /* all have come, and are compared with their CRC */
};

/* Attempts that the stage has room for, the first one, which made it, included. */
uint32_t lb_stage_attempts(const struct lb_stage *stage);

/* Programs the header of a stage that was found once more: a cut may have left some of its bits weak. */
int lb_stage_firm_header(const struct lb_stage *stage);

/* One erase from stage->erased on. LB_MORE, LB_OK: it is erased up to `end`. LB_ERR_FLASH_ERASE. */
int lb_stage_erase_one(struct lb_stage *stage, uint32_t end);

#endif
