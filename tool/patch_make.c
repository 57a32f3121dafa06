// SPDX-License-Identifier: MIT
/* lifeboat patch make: a patch from an old file to a new one. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tool/commands.h"
#include "tool/options.h"
#include "tool/patch_command.h"
#include "tool/progress.h"
#include "tool/report.h"

struct request {
  const char *old;
  const char *new;
  const char *out;
  uint8_t profile;
  bool force;
  bool verbose;
  bool json;
};

/* ---- options ---- */

enum { PROFILE, FORCE, VERBOSE, JSON };

static bool take_profile(struct request *request)
{
  for (uint8_t profile = LB_PATCH_PROFILE_DEFAULT; lb_patch_memory(profile) != 0; profile++) {
    if (strcmp(optarg, patch_profile_name(profile)) == 0) {
      request->profile = profile;
      return true;
    }
  }
  report_error("--profile: %s is unknown; there are default and small", optarg);
  return false;
}

static bool take_option(struct request *request, int option)
{
  switch (option) {
  case PROFILE:
    return take_profile(request);
  case FORCE:
    request->force = true;
    return true;
  case VERBOSE:
    request->verbose = true;
    return true;
  case JSON:
    request->json = true;
    return true;
  default:
    return false; /* options_next has reported it */
  }
}

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"profile", required_argument, NULL, PROFILE},
                                        {"force", no_argument, NULL, FORCE},
                                        {"verbose", no_argument, NULL, VERBOSE},
                                        {"json", no_argument, NULL, JSON},
                                        {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (!take_option(request, option)) {
      return false;
    }
  }
  if (!options_words(argc, 3, 3, "OLD, NEW and PATCH")) {
    return false;
  }
  request->old = argv[optind];
  request->new = argv[optind + 1];
  request->out = argv[optind + 2];
  return true;
}

/* ---- while it is made ---- */

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
  (void)number;
  interrupted = 1;
}

struct telling {
  const struct request *request;
  struct progress progress;
  uint32_t length; /* of the new file, so that the rate is one of its bytes */
};

static bool tell_progress(void *context, uint32_t done, uint32_t total)
{
  struct telling *telling = context;
  progress_to(&telling->progress, (uint64_t)telling->length * done / total);
  return !interrupted;
}

/* What was tried, for people who want to know: on stderr, so that the report stays the same. */
static void tell_attempt(void *context, const struct patch_attempt *attempt)
{
  struct telling *telling = context;
  if (!telling->request->verbose) {
    return;
  }
  progress_stop(&telling->progress);
  fprintf(stderr, "walker %s, %s: %u bytes; %u copies, %u ranges in the map; bytes for",
          patch_walker_name(attempt->walker), attempt->from_base ? "from the old file" : "from nothing",
          attempt->length, attempt->copies, attempt->ranges);
  for (uint32_t i = 0; i < attempt->kind_count; i++) {
    fprintf(stderr, "%s %s %.0f", i ? "," : "", attempt->kinds[i], attempt->bits[i] / 8);
  }
  fputc('\n', stderr);
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- the command ---- */

static int report_made(const struct request *request, const struct file_bytes *old, const struct patch_bytes *patch,
                       double seconds)
{
  struct lb_patch_info info;
  int error = patch_inspect(patch->data, patch->length, &info);
  if (error != LB_OK) {
    report_library_error(request->out, error);
    return TOOL_EXIT_FAILED;
  }
  if (request->json) {
    cJSON *json = patch_json(request->out, patch->length, &info);
    cJSON_AddStringToObject(json, "event", "done");
    cJSON_AddStringToObject(json, "command", "make");
    cJSON_AddNumberToObject(json, "milliseconds", (double)(uint64_t)(seconds * 1e3));
    return report_json_line(json) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  patch_print_lengths(&info, patch->length);
  if (old->length && !info.base_length) {
    printf("          %s has too little in common with it to help\n", request->old);
  }
  printf("Time:     %.1f s; applied, and compared with the image\n", seconds);
  if (patch->length >= info.result_length) {
    puts("It is larger than the image: send that instead.");
  }
  return TOOL_EXIT_DONE;
}

static int make_and_write(const struct request *request, const struct file_bytes *old, const struct file_bytes *new)
{
  struct telling telling = {.request = request, .length = new->length};
  struct patch_make_options options = {request->profile, tell_progress, tell_attempt, &telling};
  struct patch_bytes patch;
  double start = now();
  progress_start(&telling.progress, "make the patch", new->length, request->json);
  int error = patch_make(old->data, old->length, new->data, new->length, &options, &patch);
  if (error == LB_OK && interrupted) { /* while the patch was proved, which tells no progress */
    free(patch.data);
    error = PATCH_CANCELLED;
  }
  if (error != LB_OK) {
    progress_stop(&telling.progress);
    report_error("%s: %s", request->out, patch_error_text(error));
    return error == PATCH_CANCELLED ? TOOL_EXIT_INTERRUPTED : TOOL_EXIT_FAILED;
  }
  progress_done(&telling.progress);
  double seconds = now() - start;
  bool good = file_write(request->out, patch.data, patch.length, request->force);
  int code = good ? report_made(request, old, &patch, seconds) : TOOL_EXIT_FAILED;
  free(patch.data);
  return code;
}

static void catch_interrupts(void)
{
  struct sigaction action = {.sa_handler = interrupt};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int patch_make_command(int argc, char **argv)
{
  struct request request = {.profile = LB_PATCH_PROFILE_DEFAULT};
  struct file_bytes old = {0};
  struct file_bytes new = {0};
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  const char *inputs[] = {request.old, request.new};
  if (!patch_spares_its_input(request.out, inputs, 2, request.force)) {
    return TOOL_EXIT_FAILED;
  }
  catch_interrupts();
  int code = TOOL_EXIT_FAILED;
  if (patch_read_base(request.old, &old) && patch_read_image(request.new, &new)) {
    code = make_and_write(&request, &old, &new);
  }
  file_free(&old);
  file_free(&new);
  return code;
}
