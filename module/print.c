// SPDX-License-Identifier: MIT
#include "module/print.h"

#include <stdbool.h>
#include <string.h>

#include "module/console.h"
#include "module/port_error.h"

#define DIGITS 12U /* of any int in decimal or hexadecimal, with sign */

/* Where formatted characters go. */
struct sink {
  void (*put)(struct sink *sink, const char *text, size_t length);
  struct console *console;
  char *buffer;
  size_t size;
  size_t length;
};

struct field {
  bool left;
  char fill;
  size_t width;
  size_t precision;
};

static void put_console(struct sink *sink, const char *text, size_t length)
{
  sink->console->write(sink->console->output_context, text, length);
}

static void put_buffer(struct sink *sink, const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++, sink->length++) {
    if (sink->length + 1 < sink->size) {
      sink->buffer[sink->length] = text[i];
    }
  }
}

static void pad(struct sink *sink, const struct field *field, size_t length)
{
  for (size_t i = length; i < field->width; i++) {
    sink->put(sink, &field->fill, 1);
  }
}

static void put_field(struct sink *sink, const struct field *field, const char *text, size_t length)
{
  if (!field->left) {
    pad(sink, field, length);
  }
  sink->put(sink, text, length);
  if (field->left) {
    pad(sink, field, length);
  }
}

static void put_string(struct sink *sink, const struct field *field, const char *text)
{
  size_t length = 0;
  while (length < field->precision && text[length] != '\0') {
    length++;
  }
  if (!field->left) {
    pad(sink, field, length);
  }
  for (size_t i = 0; i < length; i++) { /* texts come from flash, files and networks: none may steer a terminal */
    bool control = (unsigned char)text[i] < 0x20 || (unsigned char)text[i] == 0x7F;
    sink->put(sink, control ? "?" : &text[i], 1);
  }
  if (field->left) {
    pad(sink, field, length);
  }
}

static void put_number(struct sink *sink, const struct field *field, unsigned value, unsigned base, bool negative)
{
  char digits[DIGITS];
  size_t at = sizeof digits;
  do {
    digits[--at] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value > 0);
  if (negative) {
    digits[--at] = '-';
  }
  put_field(sink, field, digits + at, sizeof digits - at);
}

static const char *parse_number(const char *at, size_t *number)
{
  *number = 0;
  while (*at >= '0' && *at <= '9') {
    *number = *number * 10 + (size_t)(*at++ - '0');
  }
  return at;
}

static const char *parse_field(const char *at, struct field *field)
{
  *field = (struct field){.fill = ' ', .precision = (size_t)-1};
  for (; *at == '-' || *at == '0'; at++) {
    field->left = field->left || *at == '-';
    field->fill = *at == '0' ? '0' : field->fill;
  }
  at = parse_number(at, &field->width);
  return *at == '.' ? parse_number(at + 1, &field->precision) : at;
}

static void format_text(struct sink *sink, const char *format, va_list *arguments)
{
  while (*format != '\0') {
    size_t plain = 0;
    while (format[plain] != '\0' && format[plain] != '%') {
      plain++;
    }
    sink->put(sink, format, plain);
    format += plain;
    if (*format == '\0') {
      return;
    }
    struct field field;
    format = parse_field(format + 1, &field);
    char kind = *format++;
    if (kind == 's') {
      put_string(sink, &field, va_arg(*arguments, const char *));
    } else if (kind == 'd') {
      int value = va_arg(*arguments, int);
      put_number(sink, &field, value < 0 ? 0U - (unsigned)value : (unsigned)value, 10, value < 0);
    } else if (kind == 'c') {
      char character = (char)va_arg(*arguments, int);
      put_field(sink, &field, &character, 1);
    } else if (kind == '%') {
      sink->put(sink, "%", 1);
    } else {
      put_number(sink, &field, va_arg(*arguments, unsigned), kind == 'x' ? 16 : 10, false);
    }
  }
}

static void print_arguments(struct console *console, const char *format, va_list *arguments)
{
  struct sink sink = {.put = put_console, .console = console};
  format_text(&sink, format, arguments);
}

void console_print(struct console *console, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  print_arguments(console, format, &arguments);
  va_end(arguments);
}

size_t print_text(char *buffer, size_t size, const char *format, ...)
{
  struct sink sink = {.put = put_buffer, .buffer = buffer, .size = size};
  va_list arguments;
  va_start(arguments, format);
  format_text(&sink, format, &arguments);
  va_end(arguments);
  if (size > 0) {
    buffer[sink.length < size ? sink.length : size - 1] = '\0';
  }
  return sink.length;
}

static void print_code(struct console *console, const struct lb_error_info *info)
{
  console_print(console, " (%s, %d)\n", info->esp_name, info->esp_code);
}

static void print_cause(struct console *console, int error)
{
  const struct lb_error_info *info = module_error_info(error);
  console_print(console, "%s - %s", info->cause, info->remedy);
  print_code(console, info);
}

int console_error(struct console *console, int error)
{
  console_print(console, "Error: ");
  print_cause(console, error);
  return error;
}

int console_known_error(struct console *console, int error, const char *format, ...)
{
  va_list arguments;
  console_print(console, "Error: ");
  va_start(arguments, format);
  print_arguments(console, format, &arguments);
  va_end(arguments);
  console_print(console, "\n  ");
  print_cause(console, error);
  return error;
}

int console_error_text(struct console *console, int error, const char *format, ...)
{
  va_list arguments;
  console_print(console, "Error: ");
  va_start(arguments, format);
  print_arguments(console, format, &arguments);
  va_end(arguments);
  print_code(console, module_error_info(error));
  return error;
}

void print_next_boot(struct console *console)
{
  const struct module *module = console->module;
  struct lb_otadata otadata;
  struct lb_partition next;
  int err = lb_otadata_read(&otadata, &module->device);
  if ((err == LB_OK || err == LB_ERR_NO_OTADATA) && lb_otadata_selected(&otadata, module->table, &next) == LB_OK) {
    console_print(console, "  Next boot will be from '%s'\n", next.label);
  }
}

void console_print_clean(struct console *console, const char *text)
{
  for (; *text != '\0'; text++) {
    bool control = (unsigned char)*text < 0x20 || (unsigned char)*text == 0x7F;
    console_print(console, "%c", control ? '?' : *text);
  }
}
