/*
 * The lines of the interactive mode, through libreadline where it is installed. The program is not linked
 * with it: it starts faster, runs where the library is missing, and stays under its own licence.
 */

#include "line_reader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sonames of GNU Readline 8 and 7, then what a development package installs. */
static const char *const libraries[] = {
  "libreadline.so.8", "libreadline.so.7", "libreadline.so"};

void cbl_host_line_reader_open(struct cbl_host_line_reader *reader) {
  *reader = (struct cbl_host_line_reader){0};
  void *library = NULL;
  for (size_t i = 0; library == NULL && i < sizeof libraries / sizeof libraries[0]; i++)
    library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  /* POSIX guarantees that dlsym's result can be converted to a function. */
  *(void **)&reader->readline = dlsym(library, "readline");
  *(void **)&reader->add_history = dlsym(library, "add_history");
  /* The name for the user's inputrc: "$if lua" applies, as to Lua's own program. */
  const char **name = dlsym(library, "rl_readline_name");
  if (name) *name = "lua";
}

const char *cbl_host_read_line(struct cbl_host_line_reader *reader, const char *prompt) {
  free(reader->line);
  reader->line = NULL;
  if (reader->readline) return reader->line = reader->readline(prompt);
  fputs(prompt, stdout);
  fflush(stdout);
  size_t size = 0;
  ssize_t count = getline(&reader->line, &size, stdin);
  if (count < 0) return NULL;
  if (count > 0 && reader->line[count - 1] == '\n') reader->line[count - 1] = '\0';
  return reader->line;
}

void cbl_host_remember_line(struct cbl_host_line_reader *reader, const char *line) {
  if (reader->add_history && line[0] != '\0') reader->add_history(line);
}

void cbl_host_line_reader_close(struct cbl_host_line_reader *reader) {
  free(reader->line);
  reader->line = NULL;
}
