// SPDX-License-Identifier: MIT
/* `vfs cat`, `vfs cp`, `vfs mv`, `vfs rm`. */
#include <stddef.h>

#include "module/console.h"
#include "module/print.h"
#include "module/vfs.h"
#include "module/words.h"

#define PIECE      4096U
#define UNFINISHED ".lifeboat-copy" /* behind the name of a copy that is not whole yet */

static const struct port_files *files_of(struct console *console)
{
  return console->module->port->files;
}

/*
 * Shows what can be shown: a file may hold anything, and control characters must not reach the terminal. Those of 8
 * bits are C2 80 to C2 9F in UTF-8.
 */
static void show(struct console *console, char *text, uint32_t length)
{
  struct copy_job *job = &console->job.state.copy;
  for (uint32_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    bool control = (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7F ||
                   (job->last == 0xC2 && byte >= 0x80 && byte < 0xA0);
    job->last = byte;
    text[i] = control ? '?' : text[i];
  }
  console->write(console->output_context, text, length);
}

/* Closes both files; a target that is not whole is removed. */
static void close_files(struct console *console, bool keep_target)
{
  struct copy_job *job = &console->job.state.copy;
  const struct port_files *files = files_of(console);
  if (job->from) {
    files->close(job->from);
    job->from = NULL;
  }
  if (job->to) {
    files->close(job->to);
    job->to = NULL;
    console->module->copies--;
    if (!keep_target) {
      (void)files->remove(files->context, job->unfinished); /* what went wrong before is what is told */
    }
  }
}

static int finish(struct console *console)
{
  struct copy_job *job = &console->job.state.copy;
  const struct port_files *files = files_of(console);
  if (!job->to) {
    close_files(console, true);
    if (job->last != '\n') { /* the prompt begins a line of its own */
      console_print(console, "\n");
    }
    return LB_OK;
  }
  int err = files->commit(job->to);
  if (err == LB_OK) {
    err = files->rename(files->context, job->unfinished, job->path);
  }
  close_files(console, err == LB_OK);
  return err ? vfs_refuse(console, err, job->path) : LB_OK;
}

static int step(struct console *console)
{
  struct copy_job *job = &console->job.state.copy;
  const struct port_files *files = files_of(console);
  char piece[PIECE];
  uint32_t got = 0;
  int err = files->read(job->from, piece, sizeof piece, &got);
  if (err == LB_OK && got == 0) {
    return finish(console);
  }
  if (err == LB_OK && job->to) {
    err = files->write(job->to, piece, got);
  } else if (err == LB_OK) {
    show(console, piece, got);
  }
  if (err) {
    bool copying = job->to != NULL;
    close_files(console, false);
    return copying ? vfs_refuse(console, err, job->path) : console_error(console, err);
  }
  return LB_MORE;
}

static void cancel(struct console *console)
{
  close_files(console, false);
  console_tell_cancelled(console);
}

static int start(struct console *console, const char *from)
{
  struct copy_job *job = &console->job.state.copy;
  const struct port_files *files = files_of(console);
  struct port_file_info info;
  int err = files->open(files->context, from, &job->from, &info);
  job->to = NULL;
  job->last = '\n';
  if (err) {
    job->from = NULL;
    return vfs_refuse(console, err, from);
  }
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}

int vfs_cat_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  return start(console, argv[0]);
}

/* The target is written under another name until it is whole. */
static int open_target(struct console *console, const char *from, const char *path)
{
  struct copy_job *job = &console->job.state.copy;
  const struct port_files *files = files_of(console);
  struct port_file_info info;
  print_text(job->path, COPY_PATH_SIZE, "%s", path);
  if (print_text(job->unfinished, COPY_PATH_SIZE, "%s" UNFINISHED, path) >= COPY_PATH_SIZE) {
    return MODULE_ERR_LINE_TOO_LONG;
  }
  if (files->stat(files->context, path, &info) == LB_OK) {
    return PORT_ERR_FILE_EXISTS;
  }
  if (words_equal(job->unfinished, from)) { /* the source itself */
    return PORT_ERR_FILE_EXISTS;
  }
  int err = files->create(files->context, job->unfinished, &job->to);
  if (err == PORT_ERR_FILE_EXISTS && console->module->copies == 0) { /* of a copy that was cut */
    err = files->remove(files->context, job->unfinished);
    err = err ? err : files->create(files->context, job->unfinished, &job->to);
  }
  console->module->copies += err == LB_OK ? 1 : 0;
  return err;
}

int vfs_cp_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  int result = start(console, argv[0]);
  if (result != LB_MORE) {
    return result;
  }
  int err = open_target(console, argv[0], argv[1]);
  if (err) {
    console->job.state.copy.to = NULL;
    console->job.step = NULL;
    close_files(console, false);
    return vfs_refuse(console, err, argv[1]);
  }
  return LB_MORE;
}

int vfs_mv_start(struct console *console, int argc, char **argv)
{
  const struct port_files *files = files_of(console);
  (void)argc;
  struct port_file_info info;
  int err = files->rename(files->context, argv[0], argv[1]);
  if (err) {
    int described = files->stat(files->context, argv[0], &info);
    bool about_source = described == err || (err == PORT_ERR_FILE_IS_DIRECTORY && !described && info.is_directory);
    return vfs_refuse(console, err, argv[about_source ? 0 : 1]);
  }
  return LB_OK;
}

int vfs_rm_start(struct console *console, int argc, char **argv)
{
  const struct port_files *files = files_of(console);
  (void)argc;
  int err = files->remove(files->context, argv[0]);
  return err ? vfs_refuse(console, err, argv[0]) : LB_OK;
}
