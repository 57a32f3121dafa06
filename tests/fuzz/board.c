// SPDX-License-Identifier: MIT
#include "tests/fuzz/board.h"

#include <stdio.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/fuzz/fuzz.h"

#define MOUNT      "/sd"
#define IMAGE_SIZE 4096U
#define PIECE      1000U

static const uint8_t page[] = "<html><body>Welcome to the garage.\x1b[2J</body></html>\n";
static const uint8_t version[] = "3.3.005\nMended.\n";

/* ---- files ---- */

static int find_file(const struct board *board, const char *path)
{
  for (uint32_t i = 0; i < BOARD_FILES; i++) {
    if (board->files[i].name[0] != '\0' && strcmp(board->files[i].name, path) == 0) {
      return (int)i;
    }
  }
  return -1;
}

static int check_path(const char *path)
{
  size_t length = strlen(MOUNT);

  if (strncmp(path, MOUNT, length) != 0 || (path[length] != '\0' && path[length] != '/')) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  return path[length] == '\0' || path[length + 1] == '\0' ? PORT_ERR_FILE_IS_DIRECTORY : LB_OK;
}

static int open_handle(struct board *board, uint32_t index, struct port_file **file)
{
  for (uint32_t i = 0; i < BOARD_OPEN; i++) {
    if (!board->open_files[i].is_open) {
      board->open_files[i] = (struct port_file){.index = index, .is_open = true};
      *file = &board->open_files[i];
      return LB_OK;
    }
  }
  return PORT_ERR_FILE_IO;
}

static int files_stat(void *context, const char *path, struct port_file_info *info)
{
  struct board *board = context;
  int result = check_path(path);
  int index = find_file(board, path);

  *info = (struct port_file_info){.is_directory = true};
  if (strcmp(path, "/") == 0 || result == PORT_ERR_FILE_IS_DIRECTORY) {
    return LB_OK;
  }
  if (result == LB_OK && index < 0) {
    return PORT_ERR_FILE_NOT_FOUND;
  }
  if (result == LB_OK) {
    *info = (struct port_file_info){.size = board->files[index].length, .modified = 1600000000};
  }
  return result;
}

static int files_open(void *context, const char *path, struct port_file **file, struct port_file_info *info)
{
  struct board *board = context;
  int result = check_path(path);

  if (result == LB_OK) {
    result = files_stat(context, path, info);
  }
  return result != LB_OK ? result : open_handle(board, (uint32_t)find_file(board, path), file);
}

static struct board *the_board; /* of the functions that get no context */

static int files_read(struct port_file *file, void *buffer, uint32_t capacity, uint32_t *got)
{
  const struct board_file *from = &the_board->files[file->index];
  uint32_t left = from->length > file->at ? from->length - file->at : 0;

  FUZZ_REQUIRE(file->is_open && capacity <= 4096);
  *got = left < capacity ? left : capacity;
  memcpy(buffer, from->bytes + file->at, *got);
  file->at += *got;
  return LB_OK;
}

static void files_close(struct port_file *file)
{
  FUZZ_REQUIRE(file->is_open);
  file->is_open = false;
}

static int files_list(void *context, const char *path,
                      void (*entry)(void *entry_context, const char *name, const struct port_file_info *info),
                      void *entry_context)
{
  struct board *board = context;
  struct port_file_info info = {.is_directory = true};

  if (strcmp(path, "/") == 0) {
    entry(entry_context, &MOUNT[1], &info);
    return LB_OK;
  }
  int result = check_path(path);
  if (result != PORT_ERR_FILE_IS_DIRECTORY) {
    return result == LB_OK ? PORT_ERR_FILE_NOT_DIRECTORY : result;
  }
  for (uint32_t i = 0; i < BOARD_FILES; i++) {
    if (board->files[i].name[0] != '\0') {
      info = (struct port_file_info){.size = board->files[i].length};
      entry(entry_context, board->files[i].name + strlen(MOUNT) + 1, &info);
    }
  }
  return LB_OK;
}

static int files_create(void *context, const char *path, struct port_file **file)
{
  struct board *board = context;
  int result = check_path(path);

  if (result == LB_OK && find_file(board, path) >= 0) {
    return PORT_ERR_FILE_EXISTS;
  }
  for (uint32_t i = 0; i < BOARD_FILES && result == LB_OK; i++) {
    if (board->files[i].name[0] == '\0' && strlen(path) < BOARD_NAME) {
      memcpy(board->files[i].name, path, strlen(path) + 1);
      board->files[i].length = 0;
      return open_handle(board, i, file);
    }
  }
  return result != LB_OK ? result : PORT_ERR_FILE_NO_ROOM;
}

static int files_write(struct port_file *file, const void *data, uint32_t length)
{
  struct board_file *to = &the_board->files[file->index];

  FUZZ_REQUIRE(file->is_open && length <= 4096);
  if (length > BOARD_FILE_SIZE - to->length) {
    return PORT_ERR_FILE_NO_ROOM;
  }
  memcpy(to->bytes + to->length, data, length);
  to->length += length;
  return LB_OK;
}

static int files_commit(struct port_file *file)
{
  FUZZ_REQUIRE(file->is_open);
  return LB_OK;
}

static int files_remove(void *context, const char *path)
{
  struct board *board = context;
  int result = check_path(path);
  int index = find_file(board, path);

  if (result == LB_OK && index < 0) {
    return PORT_ERR_FILE_NOT_FOUND;
  }
  if (result == LB_OK) {
    board->files[index].name[0] = '\0';
  }
  return result;
}

static int files_rename(void *context, const char *from, const char *to)
{
  struct board *board = context;
  int result = check_path(from);
  int index = find_file(board, from);

  if (result == LB_OK) {
    result = check_path(to);
  }
  if (result == LB_OK && (index < 0 || find_file(board, to) >= 0 || strlen(to) >= BOARD_NAME)) {
    return index < 0 ? PORT_ERR_FILE_NOT_FOUND : PORT_ERR_FILE_EXISTS;
  }
  if (result == LB_OK) {
    memcpy(board->files[index].name, to, strlen(to) + 1);
  }
  return result;
}

/* ---- the network ---- */

static bool network_is_up(void *context)
{
  return (((struct board *)context)->network_mode & BOARD_LINK_DOWN) == 0;
}

static int network_set_link(void *context, bool up, const char *ssid)
{
  struct board *board = context;

  if (strlen(ssid) > 32) {
    return PORT_ERR_SSID;
  }
  board->network_mode = up ? board->network_mode & ~(unsigned)BOARD_LINK_DOWN : board->network_mode | BOARD_LINK_DOWN;
  return LB_OK;
}

static const char *network_ssid(void *context)
{
  (void)context;
  return "garage";
}

static void choose_content(const struct board *board, const char *url, struct port_transfer *transfer)
{
  size_t length = strlen(url);
  bool is_version = length >= 4 && strcmp(url + length - 4, ".ver") == 0;

  transfer->bytes = is_version ? version : board->image.bytes;
  transfer->length = is_version ? sizeof(version) - 1 : board->image.length;
  if ((board->network_mode & BOARD_PORTAL) != 0) {
    transfer->bytes = page;
    transfer->length = sizeof(page) - 1;
  }
}

static int network_open(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  struct board *board = context;

  if (!network_is_up(board)) {
    return PORT_ERR_LINK_DOWN;
  }
  for (uint32_t i = 0; i < BOARD_OPEN; i++) {
    struct port_transfer *found = &board->transfers[i];
    if (!found->is_open) {
      *found = (struct port_transfer){.is_open = true, .fails_at = 0xFFFFFFFF};
      choose_content(board, request->url, found);
      if (request->first < found->length) {
        found->first = (uint32_t)request->first;
        found->sent = found->first;
      }
      if ((board->network_mode & BOARD_DROPS) != 0 && found->length > 2000) {
        found->fails_at = 2000;
        board->network_mode &= ~(unsigned)BOARD_DROPS;
      }
      *transfer = found;
      return LB_OK;
    }
  }
  return PORT_ERR_BUSY;
}

static int network_reply(struct port_transfer *transfer, struct port_reply *reply)
{
  FUZZ_REQUIRE(transfer->is_open);
  *reply = (struct port_reply){.status = transfer->first > 0 ? PORT_HTTP_PARTIAL : PORT_HTTP_OK,
                               .has_length = (the_board->network_mode & BOARD_NO_LENGTH) == 0,
                               .length = transfer->length - transfer->first,
                               .has_range = transfer->first > 0,
                               .first = transfer->first,
                               .total = transfer->length,
                               .weak = (the_board->network_mode & BOARD_WEAK) != 0};
  if (!reply->weak) {
    snprintf(reply->validator, sizeof(reply->validator), "\"1-2\"");
  }
  if ((the_board->network_mode & BOARD_NOT_FOUND) != 0) {
    reply->status = 404;
  }
  return LB_OK;
}

static int network_read(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  uint32_t left = transfer->length - transfer->sent;
  uint32_t piece = left < PIECE ? left : PIECE;

  FUZZ_REQUIRE(transfer->is_open);
  *got = piece < capacity ? piece : capacity;
  if (transfer->sent >= transfer->fails_at) {
    *got = 0;
    return PORT_ERR_CLOSED;
  }
  memcpy(buffer, transfer->bytes + transfer->sent, *got);
  transfer->sent += *got;
  return transfer->sent == transfer->length ? LB_OK : LB_MORE;
}

static void network_close(struct port_transfer *transfer)
{
  FUZZ_REQUIRE(transfer->is_open);
  transfer->is_open = false;
}

/* ---- the board ---- */

static void put_table(struct board *board)
{
  static const struct lb_partition rows[] = {
      {0x9000, 0x4000, 0, 1, 0x02, "nvs"},      {0xd000, 0x2000, 0, 1, 0x00, "otadata"},
      {0xf000, 0x1000, 0, 1, 0x01, "phy_init"}, {0x10000, 0x10000, 0, 0, 0x00, "factory"},
      {0x20000, 0x10000, 0, 0, 0x10, "ota_0"},  {0x30000, 0x10000, 0, 0, 0x11, "ota_1"},
  };
  uint8_t *bytes = sim_flash_bytes(&board->flash);
  struct lb_table table;

  lb_table_start(&table);
  for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    FUZZ_REQUIRE(lb_table_add(&table, &rows[i]) == LB_OK);
  }
  FUZZ_REQUIRE(lb_table_finish(&table, BOARD_FLASH, &board->hashes[2]) == LB_OK);
  memcpy(bytes + LB_TABLE_ADDRESS, table.bytes, LB_TABLE_SIZE);
  memcpy(bytes + LB_TABLE_COPY_ADDRESS, table.bytes, LB_TABLE_SIZE);
  lb_store_le32(bytes + 0xd000, 1);
  lb_store_le32(bytes + 0xd000 + 28, lb_crc32(0xFFFFFFFFU, bytes + 0xd000, 4));
}

static void put_images(struct board *board)
{
  for (uint32_t i = 0; i < 3; i++) {
    struct built_image image;
    image_make(&image, 20 + i, IMAGE_SIZE, "3.3.003");
    memcpy(sim_flash_bytes(&board->flash) + 0x10000 * (i + 1), image.bytes, image.length);
    image_free(&image);
  }
  image_make(&board->image, 30, IMAGE_SIZE, "3.3.005");
}

static void fill_port(struct board *board)
{
  board->network = (struct port_network){
      .context = board,
      .is_up = network_is_up,
      .set_link = network_set_link,
      .ssid = network_ssid,
      .open = network_open,
      .reply = network_reply,
      .read = network_read,
      .close = network_close,
  };
  board->files_port = (struct port_files){
      .context = board,
      .open = files_open,
      .read = files_read,
      .close = files_close,
      .stat = files_stat,
      .list = files_list,
      .create = files_create,
      .write = files_write,
      .commit = files_commit,
      .remove = files_remove,
      .rename = files_rename,
  };
  board->port = (struct port){
      .flash = &board->flash.driver,
      .sha256 = &board->hashes[0],
      .sha256_other = &board->hashes[1],
      .md5 = &board->hashes[2],
      .chip = lb_chip_by_name("esp32"),
      .revision = 300,
      .clock = &board->clock.port,
      .files = &board->files_port,
      .network = &board->network,
      .seed = 1,
      .idle = &board->flash.idle,
  };
}

void board_open(struct board *board)
{
  const struct sim_geometry geometry = sim_geometry_real(BOARD_FLASH);

  memset(board, 0, sizeof(*board));
  the_board = board;
  FUZZ_REQUIRE(sim_flash_open_memory(&board->flash, &geometry) == LB_OK);
  mbedtls_hash_sha256(&board->hashes[0], &board->hash_contexts[0]);
  mbedtls_hash_sha256(&board->hashes[1], &board->hash_contexts[1]);
  mbedtls_hash_md5(&board->hashes[2], &board->hash_contexts[2]);
  put_table(board);
  put_images(board);
  fill_port(board);
  FUZZ_REQUIRE(sim_flash_mark(&board->flash));
}

static void put_file(struct board *board, uint32_t index, const char *name, const void *bytes, uint32_t length)
{
  struct board_file *file = &board->files[index];

  snprintf(file->name, sizeof(file->name), "%s", name);
  memcpy(file->bytes, bytes, length);
  file->length = length;
}

void board_reset(struct board *board, unsigned network_mode)
{
  sim_flash_rewind(&board->flash);
  sim_clock_start(&board->clock, SIM_CLOCK_VIRTUAL);
  memset(board->files, 0, sizeof(board->files));
  memset(board->open_files, 0, sizeof(board->open_files));
  memset(board->transfers, 0, sizeof(board->transfers));
  put_file(board, 0, MOUNT "/ovms3.bin", board->image.bytes, board->image.length);
  put_file(board, 1, MOUNT "/a file with blanks.txt", page, sizeof(page) - 1);
  board->network_mode = network_mode;
}

bool board_is_quiet(const struct board *board)
{
  for (uint32_t i = 0; i < BOARD_OPEN; i++) {
    if (board->open_files[i].is_open || board->transfers[i].is_open) {
      return false;
    }
  }
  return true;
}
