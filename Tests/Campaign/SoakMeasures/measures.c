#include "soak_measures.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

static long entry_count(const char *path) {
  DIR *directory = opendir(path);
  if (!directory) return -1;
  long count = 0;
  for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

static size_t resident_bytes(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (!file) return 0;
  if (fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
  fclose(file);
  return pages * (size_t)getpagesize();
}

struct cbl_soak_measures cbl_soak_measure(void) {
  malloc_trim(0);
  struct mallinfo2 found = mallinfo2();
  return (struct cbl_soak_measures){
      .descriptors = entry_count("/proc/self/fd") - 1, /* the directory's own */
      .threads = entry_count("/proc/self/task"),
      .heap = found.uordblks + found.hblkhd,
      .resident = resident_bytes(),
  };
}

void cbl_soak_buffer_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }
