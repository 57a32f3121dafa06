// SPDX-License-Identifier: MIT
/* How far the making of a patch has come. How many ways are tried is not known before: each takes its part of the rest.
 */
#include <math.h>
#include <stdlib.h>

#include "tool/patch/plan.h"

#define ALL 1000U /* the total that the caller sees */

enum { TRY_TENTHS = 7 };

int patch_job_open(struct patch_job *job, const struct patch_make_options *options)
{
  job->options = options;
  job->tried = 0;
  job->try_end = 0;
  job->phase_start = 0;
  job->phase_end = 0;
  job->prices = malloc((PATCH_PROBABILITIES + 1U) * sizeof(*job->prices));
  if (!job->prices) {
    return PATCH_NO_MEMORY;
  }
  job->prices[0] = 0; /* never asked for */
  for (uint32_t i = 1; i <= PATCH_PROBABILITIES; i++) {
    job->prices[i] = (float)-log2((double)i / PATCH_PROBABILITIES);
  }
  return 0;
}

void patch_job_free(struct patch_job *job)
{
  free(job->prices);
}

void patch_job_try(struct patch_job *job)
{
  job->tried = job->try_end;
  job->try_end = job->tried + (ALL - job->tried) * TRY_TENTHS / 10U;
  job->phase_end = job->tried;
}

void patch_job_phase(struct patch_job *job, uint32_t percent)
{
  uint32_t share = (job->try_end - job->tried) * percent / 100U;
  job->phase_start = job->phase_end;
  job->phase_end = job->phase_start + share < job->try_end ? job->phase_start + share : job->try_end;
}

int patch_job_at(struct patch_job *job, uint32_t done, uint32_t total)
{
  const struct patch_make_options *options = job->options;
  uint64_t share = job->phase_end - job->phase_start;
  uint32_t all = job->phase_start + (total ? (uint32_t)(share * done / total) : 0);
  return !options->progress || options->progress(options->context, all, ALL) ? 0 : PATCH_CANCELLED;
}
