#ifndef CBL_HOST_LINE_READER_H
#define CBL_HOST_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the lines of the interactive mode. Knows nothing of Lua, and never raises. */
struct cbl_host_line_reader {
  /* From libreadline; NULL where it is not used. */
  char *(*readline)(const char *prompt);
  void (*add_history)(const char *line);
  /* The line read last, from malloc; NULL before the first. */
  char *line;
};

/*
 * Loads libreadline where it is installed. As in Lua's program also where the input is no terminal: it then
 * repeats the lines on the standard output. Without it lines are read as they are, of any length, without
 * editing or history.
 */
void cbl_host_line_reader_open(struct cbl_host_line_reader *reader);

/*
 * Shows the prompt and reads a line. The result has no newline, and is valid until the next call; NULL at
 * the end of the input or when memory runs out.
 */
const char *cbl_host_read_line(struct cbl_host_line_reader *reader, const char *prompt);

/* Adds a chunk to the history. An empty one is left out. */
void cbl_host_remember_line(struct cbl_host_line_reader *reader, const char *line);

void cbl_host_line_reader_close(struct cbl_host_line_reader *reader);

#endif
