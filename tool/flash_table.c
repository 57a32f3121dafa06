// SPDX-License-Identifier: MIT
/* lifeboat flash table: tells, converts and replaces partition tables. */
#include "tool/flash_table.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/commands.h"
#include "tool/file.h"
#include "tool/layout.h"
#include "tool/options.h"
#include "tool/table_csv.h"
#include "tool/table_report.h"

#define CSV_MOST       0x10000U   /* bytes of a CSV file: many times what 94 partitions need */
#define FLASH_SIZE_MAX 0x8000000U /* 128 MB: the largest that ESP-IDF knows */

struct request {
  const char *file; /* a dump or a binary table; with --from-csv what is made */
  const char *binary;
  const char *from_csv;
  const char *set;
  uint32_t flash_size; /* 0: none was given */
  bool csv;
  bool json;
  bool force;
  bool production;
  const struct lb_chip *chip; /* NULL: the dump tells */
};

/* ---- options ---- */

enum { CSV = 256, BINARY, FROM_CSV, SET, FLASH_SIZE, JSON, FORCE, PRODUCTION, CHIP };

/* "16MB" as ESP-IDF writes it, or "16M", or bytes. */
static bool parse_flash_size(const char *text, uint32_t *size)
{
  char copy[16];
  size_t length = strlen(text);
  bool megabytes = length > 2 && length < sizeof(copy) && strcmp(text + length - 2, "MB") == 0;
  (void)snprintf(copy, sizeof(copy), "%.*s", (int)(megabytes ? length - 1 : length), text);
  return options_number("--flash-size", length < sizeof(copy) ? copy : text, LB_TABLE_ADDRESS, FLASH_SIZE_MAX, size);
}

static bool take_option(struct request *request, int option)
{
  switch (option) {
  case CSV:
    request->csv = true;
    return true;
  case BINARY:
    request->binary = optarg;
    return true;
  case FROM_CSV:
    request->from_csv = optarg;
    return true;
  case SET:
    request->set = optarg;
    return true;
  case JSON:
    request->json = true;
    return true;
  case FORCE:
    request->force = true;
    return true;
  case PRODUCTION:
    request->production = true;
    return true;
  case CHIP:
    return options_chip(optarg, &request->chip);
  case FLASH_SIZE:
    return parse_flash_size(optarg, &request->flash_size);
  default:
    return false;
  }
}

static bool check_options(const struct request *request)
{
  int forms = (request->csv ? 1 : 0) + (request->binary != NULL ? 1 : 0) + (request->from_csv != NULL ? 1 : 0) +
              (request->set != NULL ? 1 : 0);
  if (forms > 1) {
    report_error("only one of --csv, --binary, --from-csv and --set can be done at once");
    return false;
  }
  if (request->production && request->set == NULL) {
    report_error("--production belongs to --set");
    return false;
  }
  if (request->json && request->csv) {
    report_error("--csv and --json are two forms of the same, choose one");
    return false;
  }
  if (request->flash_size != 0 && request->set != NULL) {
    report_error("--flash-size: the dump is as large as it is");
    return false;
  }
  return true;
}

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"csv", no_argument, NULL, CSV},
                                        {"binary", required_argument, NULL, BINARY},
                                        {"from-csv", required_argument, NULL, FROM_CSV},
                                        {"set", required_argument, NULL, SET},
                                        {"flash-size", required_argument, NULL, FLASH_SIZE},
                                        {"json", no_argument, NULL, JSON},
                                        {"force", no_argument, NULL, FORCE},
                                        {"production", no_argument, NULL, PRODUCTION},
                                        {"chip", required_argument, NULL, CHIP},
                                        {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || !take_option(request, option)) {
      return false;
    }
  }
  if (!check_options(request) || !options_words(argc, 1, 1, request->from_csv != NULL ? "one OUT" : "one FILE")) {
    return false;
  }
  request->file = argv[optind];
  return true;
}

/* ---- CSV ---- */

static void report_csv_problem(const char *path, const struct table_csv_problem *problem)
{
  if (problem->line > 0) {
    report_error("%s, line %u: %s", path, problem->line, problem->text);
  } else {
    report_error("%s: %s", path, problem->text);
  }
}

static bool read_csv(const char *path, uint32_t flash_size, struct lb_table *table)
{
  struct mbedtls_hash context;
  struct lb_hash md5;
  struct file_bytes bytes;
  struct table_csv_problem problem;
  mbedtls_hash_md5(&md5, &context);
  if (!file_read(path, CSV_MOST, &bytes)) {
    return false;
  }
  bool good = table_csv_read(table, bytes.data, bytes.length, flash_size, &md5, &problem);
  file_free(&bytes);
  if (!good) {
    report_csv_problem(path, &problem);
  }
  return good;
}

/* ---- telling ---- */

/* Flags that CSV has no word for are left out by gen_esp32part, too; here it is said. */
static void warn_of_flags(const char *path, const struct lb_table *table)
{
  struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(table, i, &partition) == LB_OK; i++) {
    if ((partition.flags & ~(LB_FLAG_ENCRYPTED | LB_FLAG_READ_ONLY)) != 0) {
      fprintf(stderr, "Warning: %s: flags 0x%x of partition %u cannot all be written as CSV\n", path, partition.flags,
              i + 1);
    }
  }
}

static int write_csv(const char *path, const struct lb_table *table)
{
  struct table_csv_problem problem;
  if (!table_csv_write(table, stdout, &problem)) {
    report_csv_problem(path, &problem);
    return TOOL_EXIT_FAILED;
  }
  warn_of_flags(path, table);
  return TOOL_EXIT_DONE;
}

static int report_json_of(const char *path, const struct lb_table *table, int error)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "file", path);
  cJSON_AddItemToObject(json, "table", table_json(table, error));
  bool told = report_json(json);
  return told && error == LB_OK ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}

static int write_binary(const struct request *request, const char *path, const struct lb_table *table)
{
  if (request->from_csv == NULL && file_is_same(request->file, path)) {
    report_error("%s is what the table is read from - name another file", path);
    return TOOL_EXIT_FAILED;
  }
  if (!file_write(path, table->bytes, LB_TABLE_SIZE, request->force)) {
    return TOOL_EXIT_FAILED;
  }
  if (request->json) {
    return report_json_of(path, table, LB_OK);
  }
  printf("%s: %u partitions, %u bytes\n", path, table->count, LB_TABLE_SIZE);
  return TOOL_EXIT_DONE;
}

/* `alone`: the file is a table and nothing else. */
static int tell(const struct request *request, const struct lb_table *table, int error, bool alone)
{
  if (error && request->json) {
    return report_json_of(request->file, table, error);
  }
  if (error) {
    report_library_error(request->file, error);
    return TOOL_EXIT_FAILED;
  }
  if (request->csv) {
    return write_csv(request->file, table);
  }
  if (request->binary != NULL) {
    return write_binary(request, request->binary, table);
  }
  if (request->json) {
    return report_json_of(request->file, table, error);
  }
  table_print(table, alone ? request->file : NULL);
  return TOOL_EXIT_DONE;
}

static int tell_binary(const struct request *request, const struct file_bytes *bytes)
{
  struct mbedtls_hash context;
  struct lb_hash md5;
  struct lb_table table;
  if (bytes->length != LB_TABLE_SIZE && bytes->length != LB_TABLE_SECTOR) {
    report_error("%s: %u bytes are neither a dump (4, 8, 16 or 32 MB) nor a binary partition table (0xc00 or 0x1000 "
                 "bytes)%s",
                 request->file, bytes->length, bytes->length < CSV_MOST ? "; a CSV is read with --from-csv" : "");
    return TOOL_EXIT_FAILED;
  }
  mbedtls_hash_md5(&md5, &context);
  uint32_t flash_size = request->flash_size != 0 ? request->flash_size : FLASH_SIZE_MAX;
  int err = lb_table_parse(&table, bytes->data, bytes->length, flash_size, &md5);
  return tell(request, &table, err, true);
}

static int tell_dump(const struct request *request)
{
  struct flash_device device;
  struct sim_flash flash;
  int err = sim_flash_open_file(&flash, request->file, SIM_FLASH_READ_ONLY);
  if (err) {
    report_problem(request->file, sim_flash_error_info(err));
    return TOOL_EXIT_FAILED;
  }
  flash_device_start(&device, &flash.driver, request->chip);
  err = flash_device_read_table(&device);
  int code = tell(request, &device.table, err, false);
  sim_flash_close(&flash);
  return code;
}

static int tell_file(const struct request *request)
{
  struct file_bytes bytes;
  struct stat status;
  bool small = stat(request->file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < LB_TABLE_ADDRESS;
  if (!small) {
    return tell_dump(request);
  }
  if (!file_read(request->file, LB_TABLE_ADDRESS, &bytes)) {
    return TOOL_EXIT_FAILED;
  }
  int code = tell_binary(request, &bytes);
  file_free(&bytes);
  return code;
}

/* ---- changing ---- */

static int make_binary(const struct request *request)
{
  struct lb_table table;
  uint32_t flash_size = request->flash_size != 0 ? request->flash_size : LAYOUT_FLASH_SIZE;
  if (!read_csv(request->from_csv, flash_size, &table)) {
    return TOOL_EXIT_FAILED;
  }
  return write_binary(request, request->file, &table);
}

static int report_set(const struct request *request, const struct flash_dump *dump)
{
  if (request->json) {
    return report_json_of(request->file, &dump->device.table, LB_OK);
  }
  printf("%s: new partition table at 0x%x and 0x%x\n", request->file, LB_TABLE_ADDRESS, LB_TABLE_COPY_ADDRESS);
  table_print(&dump->device.table, NULL);
  flash_dump_print_boot(dump);
  return TOOL_EXIT_DONE;
}

static int set_table(const struct request *request)
{
  struct flash_dump dump;
  struct lb_table table;
  int code = TOOL_EXIT_FAILED;
  if (!request->production) {
    report_error("a new partition table changes what every firmware and bootloader relies on - in production "
                 "--production writes it");
    return code;
  }
  if (!flash_dump_open(&dump, request->file, request->chip, SIM_FLASH_READ_WRITE)) {
    return code;
  }
  if (read_csv(request->set, dump.driver.size, &table) && flash_table_replace(&dump, &table)) {
    code = report_set(request, &dump);
  }
  flash_dump_close(&dump);
  return code;
}

int flash_table_command(int argc, char **argv)
{
  struct request request = {0};
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  if (request.from_csv != NULL) {
    return make_binary(&request);
  }
  return request.set != NULL ? set_table(&request) : tell_file(&request);
}
