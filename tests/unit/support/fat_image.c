// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tests/unit/support/fat_image.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifeboat/bytes.h"
#include "module/port.h"
#include "tests/unit/support/unit.h"

#define COMMAND_SIZE 2048
#define PUT_SECONDS  1709210096 /* 2024-02-29 12:34:56 */

/* ---- the device ---- */

static int image_read(void *context, uint64_t sector, void *buffer, uint32_t count)
{
  struct fat_image *image = context;
  const uint64_t there = image->size / BLOCK_SIZE;

  assert_true(count > 0);
  assert_true(sector < image->device.sectors && count <= image->device.sectors - sector);
  image->reads++;
  image->sectors_read += count;
  if (image->fail_reads || image->writes > image->writes_left) {
    return PORT_ERR_FILE_IO;
  }
  for (uint32_t i = 0; i < count; i++) { /* a medium may be said to be larger than its file: blank there */
    uint8_t *to = (uint8_t *)buffer + (size_t)i * BLOCK_SIZE;
    memset(to, 0, BLOCK_SIZE);
    if (sector + i < there) {
      memcpy(to, image->bytes + (sector + i) * BLOCK_SIZE, BLOCK_SIZE);
    }
  }
  return LB_OK;
}

static int image_write(void *context, uint64_t sector, const void *data)
{
  struct fat_image *image = context;

  assert_true(sector < image->size / BLOCK_SIZE);
  assert_true(image->writes < FAT_IMAGE_WRITES);
  if (image->writes >= image->writes_left) {
    image->writes = image->writes_left + 1;
    return PORT_ERR_FILE_IO;
  }
  image->written[image->writes] = sector;
  memcpy(image->before[image->writes], image->bytes + sector * BLOCK_SIZE, BLOCK_SIZE);
  memcpy(image->bytes + sector * BLOCK_SIZE, data, BLOCK_SIZE);
  image->writes++;
  return LB_OK;
}

void fat_image_undo(struct fat_image *image)
{
  uint32_t done = image->writes < image->writes_left ? image->writes : image->writes_left;

  while (done > 0) {
    done--;
    memcpy(image->bytes + image->written[done] * BLOCK_SIZE, image->before[done], BLOCK_SIZE);
  }
  image->writes = 0;
  image->writes_left = FAT_IMAGE_WRITES;
}

/* ---- the file ---- */

void fat_image_make(struct fat_image *image, uint32_t kilobytes, const char *options, uint32_t start)
{
  char path[128];

  memset(image, 0, sizeof *image);
  image->size = (size_t)kilobytes * 1024;
  image->start = start;
  image->writes_left = FAT_IMAGE_WRITES;
  image->device = (struct block_device){
      .context = image, .read = image_read, .write = image_write, .sectors = image->size / BLOCK_SIZE};
  snprintf(image->folder, sizeof image->folder, "/tmp/lifeboat-fat-XXXXXX");
  assert_non_null(mkdtemp(image->folder));
  snprintf(path, sizeof path, "%s/image", image->folder);
  const int fd = open(path, O_CREAT | O_RDWR, 0644);
  assert_true(fd >= 0);
  assert_int_equal(ftruncate(fd, (off_t)image->size), 0);
  image->bytes = mmap(NULL, image->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert_true(image->bytes != MAP_FAILED);
  close(fd);
  if (options) {
    fat_image_run(image, "mkfs.fat -i 12345678 --offset=%u %s image %u", start, options, kilobytes - start / 2);
  }
}

void fat_image_partition(struct fat_image *image, const uint8_t kinds[4], uint32_t which)
{
  for (uint32_t i = 0; i < 4; i++) {
    uint8_t *partition = image->bytes + 446 + (size_t)i * 16;
    memset(partition, 0, 16);
    partition[4] = kinds[i];
    lb_store_le32(partition + 8, i == which ? (uint32_t)image->start : 1 + i);
    lb_store_le32(partition + 12, i == which ? (uint32_t)(image->size / BLOCK_SIZE - image->start) : 1);
  }
  lb_store_le16(image->bytes + 510, 0xAA55);
}

static int run(struct fat_image *image, const char *command)
{
  char line[COMMAND_SIZE];
  char offset[32] = "";

  if (image->start > 0) { /* mtools mistake an "@@0" on a card that has a partition table and begins there */
    snprintf(offset, sizeof offset, "@@%llu", (unsigned long long)(image->start * BLOCK_SIZE));
  }
  const int length = snprintf(line, sizeof line,
                              "cd %s && export TZ=UTC LC_ALL=C.UTF-8 MTOOLSRC=/dev/null PATH=$PATH:/usr/sbin:/sbin "
                              "IMAGE=image%s && { %s; } >output 2>&1 </dev/null",
                              image->folder, offset, command);
  assert_true(length > 0 && (size_t)length < sizeof line);
  const int status = system(line);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

int fat_image_try(struct fat_image *image, const char *format, ...)
{
  char command[COMMAND_SIZE];
  va_list arguments;

  va_start(arguments, format);
  assert_true(vsnprintf(command, sizeof command, format, arguments) < COMMAND_SIZE);
  va_end(arguments);
  return run(image, command);
}

void fat_image_run(struct fat_image *image, const char *format, ...)
{
  char command[COMMAND_SIZE];
  va_list arguments;

  va_start(arguments, format);
  assert_true(vsnprintf(command, sizeof command, format, arguments) < COMMAND_SIZE);
  va_end(arguments);
  const int code = run(image, command);
  if (code != 0) {
    char *output = fat_image_output(image);
    print_error("%s: exit code %d (are mtools and dosfstools installed?)\n%s\n", command, code, output);
    free(output);
    fail();
  }
}

char *fat_image_output(struct fat_image *image)
{
  char path[128];
  char *text = unit_allocate(65536);

  snprintf(path, sizeof path, "%s/output", image->folder);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, 65535, file)] = '\0';
  fclose(file);
  return text;
}

void fat_image_put(struct fat_image *image, const char *path, const void *bytes, size_t length)
{
  const struct timespec times[2] = {{.tv_sec = PUT_SECONDS}, {.tv_sec = PUT_SECONDS}};
  char content[128];

  snprintf(content, sizeof content, "%s/content", image->folder);
  FILE *file = fopen(content, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(utimensat(AT_FDCWD, content, times, 0), 0);
  fat_image_run(image, "mcopy -o -m -i $IMAGE content '::%s'", path);
}

void fat_image_check(struct fat_image *image)
{
  assert_int_equal(image->start, 0); /* fsck.fat cannot look behind a partition table */
  fat_image_run(image, "fsck.fat -n image");
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
  (void)status;
  (void)type;
  (void)where;
  return remove(path);
}

void fat_image_remove(struct fat_image *image)
{
  munmap(image->bytes, image->size);
  assert_int_equal(nftw(image->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
