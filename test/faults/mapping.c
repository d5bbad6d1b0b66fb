/*
 * One thread or process stores to a byte of a shared mapping, over and over, while another changes other bytes of the same page by
 * system calls. Prints how many of those changes, or of the stores, were lost.
 *
 * mapping write|stale|copy threads|processes COUNT FILE
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned char *page;
static int fd;

static volatile unsigned char *map(void) {
  void *address = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) exit(2);
  return address;
}

/* Stores to byte 4000 for ever. With `check`, counts in `*lost` how often a store was undone. */
static void storer(volatile unsigned char *at, int check, volatile long *lost) {
  for (unsigned char k = 1;; k++) {
    at[4000] = k;
    for (int i = 0; check && i < 50; i++)
      if (at[4000] != k) {
        ++*lost;
        break;
      }
  }
}

struct work {
  int check;
  volatile long *lost;
};

static void *thread(void *argument) {
  struct work *work = argument;
  storer(page, work->check, work->lost);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int copies = !strcmp(argv[1], "copy"), stale = !strcmp(argv[1], "stale"), count = atoi(argv[3]);
  long lost = 0;
  volatile long *stores_lost = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  fd = open(argv[4], O_RDWR);
  if (fd < 0 || ftruncate(fd, 0) || ftruncate(fd, 131072)) return 2;
  page = map();
  struct work work = {copies, stores_lost};
  pid_t child = 0;
  if (!strcmp(argv[2], "processes")) {
    child = fork();
    if (child == 0) storer(map(), work.check, work.lost);
  } else {
    pthread_t id;
    if (pthread_create(&id, 0, thread, &work)) return 2;
  }
  for (int i = 0; i < count; i++) {
    if (copies) {
      off_t in = 65536, out = 0;
      if (copy_file_range(fd, &in, fd, &out, 100, 0) != 100) return 2;
      continue;
    }
    char wrote = i, read = 0;
    if (pwrite(fd, &wrote, 1, 0) != 1) return 2;
    if (!stale && pread(fd, &read, 1, 0) != 1) return 2;
    lost += stale ? page[0] != (unsigned char)wrote : read != wrote;
  }
  if (child > 0) {
    kill(child, SIGKILL);
    waitpid(child, 0, 0);
  }
  printf("%ld\n", lost + *stores_lost);
  fflush(stdout);
  _exit(0);
}
