/* Files of `--simulate` and `--explain`, and their output. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cbl_host.h"

enum {
  /* Bounds the memory for a wrong file, such as /dev/zero. */
  SIZE_MAX_BYTES = 64 << 20,
  BLOCK_BYTES = 64 * 1024
};

/* Writes "connectbylist: <what><path>: <why>". */
static bool report_file(const char *what, const char *path, const char *why) {
  fprintf(stderr, "%s: %s%s: %s\n", CBL_HOST_NAME, what, path, why);
  return false;
}

static bool read_stream(FILE *stream, const char *path, struct cbl_host_text *text) {
  for (;;) {
    unsigned char *grown = realloc(text->bytes, text->size + BLOCK_BYTES);
    if (grown == NULL) return report_file("cannot read ", path, strerror(ENOMEM));
    text->bytes = grown;
    size_t count = fread(grown + text->size, 1, BLOCK_BYTES, stream);
    if (count == 0) break;
    text->size += count;
    if (text->size > SIZE_MAX_BYTES) return report_file("", path, "larger than 64 MiB");
  }
  /* fopen opens a folder; reading it fails. */
  if (ferror(stream)) return report_file("cannot read ", path, strerror(errno));
  return true;
}

bool cbl_host_read_file(const char *path, struct cbl_host_text *text) {
  *text = (struct cbl_host_text){NULL, 0};
  FILE *stream = fopen(path, "rb");
  if (stream == NULL) return report_file("cannot open ", path, strerror(errno));
  bool is_read = read_stream(stream, path, text);
  fclose(stream);
  if (!is_read) cbl_host_free_text(text);
  return is_read;
}

void cbl_host_free_text(struct cbl_host_text *text) {
  free(text->bytes);
  *text = (struct cbl_host_text){NULL, 0};
}

void cbl_host_print(const unsigned char *bytes, size_t size) {
  fwrite(bytes, 1, size, stdout);
  fflush(stdout);
}
