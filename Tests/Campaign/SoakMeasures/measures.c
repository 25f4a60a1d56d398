#include "soak_measures.h"

#include "allocation.h"

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

/* `of_files`: gets how much of it are pages of files. */
static size_t resident_bytes(const char *path, size_t *of_files) {
  FILE *file = fopen(path, "r");
  unsigned long pages = 0, shared = 0;
  if (file) {
    if (fscanf(file, "%*u %lu %lu", &pages, &shared) != 2) pages = shared = 0;
    fclose(file);
  }
  *of_files = shared * (size_t)getpagesize();
  return pages * (size_t)getpagesize();
}

struct cbl_soak_measures cbl_soak_measure(void) {
  malloc_trim(0);
  size_t of_files;
  return (struct cbl_soak_measures){
      .descriptors = entry_count("/proc/self/fd") - 1, /* the directory's own */
      .threads = entry_count("/proc/self/task"),
      .heap = cbl_soak_allocated(),
      .dispatch_blocks = cbl_soak_dispatch_blocks(),
      .resident = resident_bytes("/proc/self/statm", &of_files),
  };
}

struct cbl_soak_measures cbl_soak_measure_process(long id) {
  char descriptors[40], threads[40], memory[40];
  snprintf(descriptors, sizeof descriptors, "/proc/%ld/fd", id);
  snprintf(threads, sizeof threads, "/proc/%ld/task", id);
  snprintf(memory, sizeof memory, "/proc/%ld/statm", id);
  size_t of_files, resident = resident_bytes(memory, &of_files);
  return (struct cbl_soak_measures){
      .descriptors = entry_count(descriptors),
      .threads = entry_count(threads),
      .resident = resident - of_files,
  };
}

void cbl_soak_buffer_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }
