// SPDX-License-Identifier: MIT
#include "tool/flash_update.h"

#include <stdio.h>
#include <stdlib.h>

#include "lifeboat/update.h"
#include "ports/sim/signals.h"
#include "tool/commands.h"
#include "tool/progress.h"
#include "tool/report.h"

#define PIECE           4096U
#define SECTOR_CAPACITY 4096U
#define STEP_SIZE       (sizeof("write ") + LB_LABEL_SIZE)

/* One update under way. */
struct session {
  struct flash_dump *dump;
  struct flash_update *request;
  struct progress progress;
  char step[STEP_SIZE];
  uint8_t sector[SECTOR_CAPACITY];
  struct lb_update update;
};

static bool is_interrupted(void)
{
  return signals_take_interrupt() || signals_terminated();
}

static int report_interrupted(const struct lb_partition *slot, enum lb_update_remains remains)
{
  static const char *const words[] = {
      [LB_REMAINS_AS_BEFORE] = "is as it was",
      [LB_REMAINS_UNFINISHED] = "holds a part of an image and does not boot",
      [LB_REMAINS_WHOLE] = "holds the whole image, which was not verified to its end",
  };
  char label[LB_LABEL_SIZE];
  report_error("interrupted: %s %s - repeat the command", flash_dump_label(slot, label), words[remains]);
  return TOOL_EXIT_INTERRUPTED;
}

/* ---- an OTA slot ---- */

/* Moves the selection to the slot that boots now, which is what happens at the next boot anyway. */
static int deselect(struct flash_dump *dump)
{
  const struct lb_partition *running = &dump->boot.partition;
  const struct lb_device *device = &dump->device.device;
  const struct lb_selection selection = {
      .slot = running->subtype - (uint32_t)LB_SUBTYPE_OTA_0,
      .digest = dump->verify.image.info.digest, /* of what boots now */
  };
  struct lb_otadata otadata;
  int result = lb_otadata_read(&otadata, device);
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_partition_is_ota(running) ? lb_otadata_select_slot(&otadata, device, &selection)
                                          : lb_otadata_select_factory(&otadata, device);
  }
  return result;
}

static int start(struct session *session)
{
  struct flash_dump *dump = session->dump;
  const struct flash_update *request = session->request;
  struct lb_update_config config = {.device = &dump->device.device,
                                    .running = dump->boot.partition,
                                    .target = request->slot,
                                    .size = request->length,
                                    .project = request->project,
                                    .only_write = !request->select,
                                    .sector_buffer = session->sector};
  int err = lb_update_start(&session->update, &config);
  if (err == LB_ERR_TARGET_SELECTED && dump->boot_result == LB_OK) {
    err = deselect(dump);
    err = err ? err : lb_update_start(&session->update, &config);
  } else if (err == LB_ERR_TARGET_SELECTED) {
    config.only_write = false; /* nothing boots, so there is nowhere to move it: selected before, selected after */
    err = lb_update_start(&session->update, &config);
  }
  return err;
}

/* LB_OK, an error, or LB_MORE if somebody interrupted it. */
static int push(struct session *session)
{
  const struct flash_update *request = session->request;
  uint32_t at = 0;
  while (at < request->length) {
    uint32_t left = request->length - at;
    uint32_t used = 0;
    int err = lb_update_write(&session->update, request->data + at, left < PIECE ? left : PIECE, &used);
    if (err) {
      return err;
    }
    if (is_interrupted()) {
      return LB_MORE;
    }
    at += used;
    progress_to(&session->progress, at);
  }
  return LB_OK;
}

static int finish(struct session *session)
{
  uint64_t done = session->request->length;
  int result = LB_MORE;
  while (result == LB_MORE && !is_interrupted()) {
    result = lb_update_finish(&session->update);
    done += LB_VERIFY_STEP; /* near enough: most of the steps read so much back */
    progress_to(&session->progress, done);
  }
  return result;
}

static int conclude(struct session *session, int result)
{
  struct flash_dump *dump = session->dump;
  struct flash_update *request = session->request;
  bool touched = lb_update_touched_flash(&session->update);
  bool good = result == LB_OK && flash_dump_sync(dump);
  if (!good) {
    progress_stop(&session->progress);
  }
  if (result == LB_MORE && touched) {
    return report_interrupted(&request->slot, lb_update_remains(&session->update));
  }
  if (result == LB_MORE) {
    report_error("interrupted: nothing was changed");
    return TOOL_EXIT_INTERRUPTED;
  }
  if (result != LB_OK) {
    report_library_error(request->source, result);
  }
  if (!good) {
    return TOOL_EXIT_FAILED;
  }
  progress_done(&session->progress);
  request->sectors_kept = session->update.writer.sectors_kept;
  request->bytes_erased = session->update.writer.bytes_erased;
  flash_dump_decide(dump);
  return TOOL_EXIT_DONE;
}

static void start_session(struct session *session, struct flash_dump *dump, struct flash_update *request)
{
  char label[LB_LABEL_SIZE];
  session->dump = dump;
  session->request = request;
  (void)snprintf(session->step, sizeof(session->step), "write %s", flash_dump_label(&request->slot, label));
  signals_catch();
  progress_start(&session->progress, session->step, 2ULL * request->length, request->json);
}

int flash_update_run(struct flash_dump *dump, struct flash_update *update)
{
  struct session *session = calloc(1, sizeof(*session));
  if (session == NULL) {
    report_error("not enough memory");
    return TOOL_EXIT_FAILED;
  }
  start_session(session, dump, update);
  int result = start(session);
  if (result == LB_OK) {
    result = push(session);
  }
  if (result == LB_OK) {
    result = finish(session);
  }
  int code = conclude(session, result);
  free(session);
  return code;
}

int flash_update_report(const struct flash_dump *dump, const struct flash_update *update, const char *command,
                        const struct lb_image_info *image)
{
  const char *version = image->description.version[0] != '\0' ? image->description.version : "unknown";
  char label[LB_LABEL_SIZE];
  if (update->json) {
    cJSON *json = flash_dump_json(dump, command, &update->slot);
    cJSON_AddStringToObject(json, "source", update->source);
    cJSON_AddStringToObject(json, "version", version);
    cJSON_AddNumberToObject(json, "length", update->length);
    cJSON_AddNumberToObject(json, "sectors_kept", update->sectors_kept);
    cJSON_AddNumberToObject(json, "bytes_erased", update->bytes_erased);
    return report_json_line(json) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  printf("%s: version %s, %u bytes, from %s\n", flash_dump_label(&update->slot, label), version, update->length,
         update->source);
  flash_dump_print_boot(dump);
  return TOOL_EXIT_DONE;
}
