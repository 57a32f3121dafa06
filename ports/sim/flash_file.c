// SPDX-License-Identifier: MIT
/* Where the bytes of the flash are: in a file that nobody else may open, or in memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

#define MEGABYTE (1024U * 1024U)

struct sim_geometry sim_geometry_real(uint32_t size)
{
  return (struct sim_geometry){.size = size, .page_size = 256, .erase_sizes = {4096, 32768, 65536}};
}

struct sim_geometry sim_geometry_miniature(uint32_t size)
{
  return (struct sim_geometry){.size = size, .page_size = 64, .erase_sizes = {512, 2048}};
}

bool sim_flash_size_is_valid(uint64_t size)
{
  return size == 4 * MEGABYTE || size == 8 * MEGABYTE || size == 16 * MEGABYTE || size == 32 * MEGABYTE;
}

static bool is_power_of_two(uint32_t number)
{
  return number != 0 && (number & (number - 1)) == 0;
}

static bool is_possible(const struct sim_geometry *geometry)
{
  const uint32_t *sizes = geometry->erase_sizes;
  if (!is_power_of_two(geometry->page_size) || sizes[0] < geometry->page_size) {
    return false;
  }
  for (uint32_t i = 0; i < LB_FLASH_ERASE_SIZES && (i == 0 || sizes[i] != 0); i++) {
    if (!is_power_of_two(sizes[i]) || (i > 0 && sizes[i] <= sizes[i - 1])) {
      return false;
    }
  }
  return geometry->size != 0 && geometry->size % sizes[0] == 0;
}

int sim_flash_open_memory(struct sim_flash *flash, const struct sim_geometry *geometry)
{
  memset(flash, 0, sizeof *flash);
  flash->fd = -1;
  if (!is_possible(geometry)) {
    return LB_ERR_ARGUMENT;
  }
  uint8_t *bytes = malloc(geometry->size);
  uint32_t *wear = calloc(geometry->size / geometry->erase_sizes[0], sizeof *wear);
  if (!bytes || !wear) {
    free(bytes);
    free(wear);
    return SIM_FLASH_ERR_SYSTEM;
  }
  memset(bytes, 0xFF, geometry->size);
  sim_flash_attach(flash, bytes, wear, geometry);
  return LB_OK;
}

static int error_of_open(int number)
{
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    return SIM_FLASH_ERR_MISSING;
  case EACCES:
  case EPERM:
  case EROFS:
    return SIM_FLASH_ERR_PERMISSION;
  case EISDIR:
  case ENXIO:
  case ENODEV:
    return SIM_FLASH_ERR_NOT_A_FILE;
  default:
    return SIM_FLASH_ERR_SYSTEM;
  }
}

/* Is it a file of a right size that nobody else has? */
static int claim(int fd, bool read_only, uint32_t *size)
{
  struct stat status;
  if (fstat(fd, &status)) {
    return SIM_FLASH_ERR_SYSTEM;
  }
  if (!S_ISREG(status.st_mode)) {
    return SIM_FLASH_ERR_NOT_A_FILE;
  }
  if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
    return errno == EWOULDBLOCK ? SIM_FLASH_ERR_IN_USE : SIM_FLASH_ERR_SYSTEM;
  }
  /* asked again, since whoever had the lock may have been making the file */
  if (fstat(fd, &status)) {
    return SIM_FLASH_ERR_SYSTEM;
  }
  if (!sim_flash_size_is_valid((uint64_t)status.st_size)) {
    return SIM_FLASH_ERR_SIZE;
  }
  *size = (uint32_t)status.st_size;
  return LB_OK;
}

static int map_file(struct sim_flash *flash, int fd, uint32_t size)
{
  /* A sparse file on a full disk would fail at a write into the map, where nobody can be told. */
  if (!flash->read_only && posix_fallocate(fd, 0, (off_t)size) == ENOSPC) {
    return SIM_FLASH_ERR_NO_ROOM;
  }
  const struct sim_geometry geometry = sim_geometry_real(size);
  uint32_t *wear = calloc(size / geometry.erase_sizes[0], sizeof *wear);
  if (!wear) {
    return SIM_FLASH_ERR_SYSTEM;
  }
  void *bytes = mmap(NULL, size, flash->read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED) {
    free(wear);
    return SIM_FLASH_ERR_SYSTEM;
  }
  sim_flash_attach(flash, bytes, wear, &geometry);
  return LB_OK;
}

int sim_flash_open_file(struct sim_flash *flash, const char *path, enum sim_flash_access access)
{
  memset(flash, 0, sizeof *flash);
  flash->fd = -1;
  flash->read_only = access == SIM_FLASH_READ_ONLY;
  /* O_NONBLOCK: a pipe in the file's place must not hold us up */
  const int fd = open(path, (flash->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    return error_of_open(errno);
  }
  uint32_t size = 0;
  int err = claim(fd, flash->read_only, &size);
  if (!err) {
    err = map_file(flash, fd, size);
  }
  if (err) {
    close(fd);
    return err;
  }
  flash->fd = fd;
  return LB_OK;
}

void sim_flash_close(struct sim_flash *flash)
{
  free(flash->wear);
  free(flash->unstable.mask);
  sim_flash_free_marks(flash);
  if (flash->fd >= 0) {
    munmap(flash->bytes, flash->driver.size);
    close(flash->fd);
  } else {
    free(flash->bytes);
  }
  memset(flash, 0, sizeof *flash);
  flash->fd = -1;
}

bool sim_flash_sync(struct sim_flash *flash)
{
  return flash->fd < 0 || flash->read_only || msync(flash->bytes, flash->driver.size, MS_SYNC) == 0;
}

static const struct lb_error_info errors[] = {
    {LB_OK, "LB_OK", "no error", "nothing has to be done", "ESP_OK", 0},
    {SIM_FLASH_ERR_NO_ROOM, "SIM_FLASH_ERR_NO_ROOM", "the disk has no room for all of the flash file",
     "make room, or move the file", "ESP_ERR_NO_MEM", 0x101},
    {SIM_FLASH_ERR_MISSING, "SIM_FLASH_ERR_MISSING", "flash file does not exist",
     "make one with lifeboat flash create, or give the right path", "ESP_ERR_NOT_FOUND", 0x105},
    {SIM_FLASH_ERR_PERMISSION, "SIM_FLASH_ERR_PERMISSION", "flash file may not be read and written",
     "change its permissions, or run as its owner", "ESP_ERR_NOT_ALLOWED", 0x10D},
    {SIM_FLASH_ERR_NOT_A_FILE, "SIM_FLASH_ERR_NOT_A_FILE", "flash is no ordinary file",
     "give the path of a flash file, not of a directory or device", "ESP_ERR_INVALID_ARG", 0x102},
    {SIM_FLASH_ERR_IN_USE, "SIM_FLASH_ERR_IN_USE", "flash file is in use",
     "end the other module or tool that has it open", "ESP_ERR_INVALID_STATE", 0x103},
    {SIM_FLASH_ERR_SIZE, "SIM_FLASH_ERR_SIZE", "flash file has the wrong size",
     "a flash file has 4, 8, 16 or 32 MB exactly", "ESP_ERR_INVALID_SIZE", 0x104},
    {SIM_FLASH_ERR_SYSTEM, "SIM_FLASH_ERR_SYSTEM", "flash could not be opened",
     "look whether memory and file system are in order", "ESP_FAIL", -1},
};

static const struct lb_error_info unknown_error = {
    SIM_FLASH_ERR_SYSTEM, "SIM_FLASH_ERR_UNKNOWN", "unknown error", "report it to the makers", "ESP_FAIL", -1};

const struct lb_error_info *sim_flash_error_info(int code)
{
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    if (errors[i].code == code) {
      return &errors[i];
    }
  }
  return &unknown_error;
}
