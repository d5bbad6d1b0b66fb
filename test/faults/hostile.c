// Clients that do what no well-behaved program does. Each mode prints counts; what goes wrong is a message and status 1.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIZE = 1 << 20, PAGE = 4096, BLOCK = 64 << 10, PERIOD = 251 };

static char shadow[SIZE], bytes[SIZE];
static volatile sig_atomic_t signals;

static void count(int signal) {
  (void)signal;
  signals++;
}

// Writes and reads so many times while a timer sends 1,000 signals a second, and goes on until there were as many signals.
// After each call the file must hold what the calls said.
static void flood(int fd, int times, int flags) {
  if (ftruncate(fd, 0) != 0 || ftruncate(fd, SIZE) != 0) err(1, "ftruncate");
  struct sigaction action = {.sa_handler = count, .sa_flags = flags};
  struct itimerval every = {{0, 1000}, {0, 1000}};
  long written = 0, read = 0, cut = 0, interrupted = 0;
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &every, NULL);
  for (int step = 0; signals < times || written < times || read < times; step++) {
    int writes = rand() % 2;
    // Every other call is long: then a signal comes in the middle.
    size_t start = rand() % (SIZE / 2), length = step % 4 < 2 ? SIZE - start : 1u + rand() % 5000;
    if (writes) memset(bytes, 'a' + step % 26, length);
    ssize_t done = writes ? pwrite(fd, bytes, length, start) : pread(fd, bytes, length, start);
    if (done == -1 && errno == EINTR) {
      interrupted++;
      continue;
    }
    if (done < 1) err(1, "step %d: %s of %zu bytes at %zu", step, writes ? "pwrite" : "pread", length, start);
    cut += (size_t)done < length;
    if (writes) written++, memcpy(shadow + start, bytes, done);
    else if (read++, memcmp(shadow + start, bytes, done) != 0) errx(1, "step %d: read what was not written", step);
  }
  setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
  for (ssize_t at = 0, done; at < SIZE; at += done)
    if ((done = pread(fd, bytes + at, SIZE - at, at)) < 1) err(1, "the last pread");
  if (memcmp(shadow, bytes, SIZE) != 0) errx(1, "the file is not what the writes said");
  printf("{\"signals\":%d,\"written\":%ld,\"read\":%ld,\"cut\":%ld,\"interrupted\":%ld}\n", (int)signals, written, read,
         cut, interrupted);
}

// Writes block after block, each of one letter, and tells after each, for as long as it lives.
static void append(int fd) {
  for (int block = 0;; block++) {
    memset(bytes, 'a' + block % 26, BLOCK);
    if (pwrite(fd, bytes, BLOCK, (off_t)(block % 256) * BLOCK) != BLOCK) err(1, "pwrite");
    if (write(1, ".", 1) != 1) err(1, "write");
  }
}

static sigjmp_buf beyond;

static void jump(int signal) {
  (void)signal;
  siglongjmp(beyond, 1);
}

// Stores bytes of the pattern (see bytes.ts) through a shared mapping while others cut the file, until so many stores were
// within it, and as many past its end, which is SIGBUS.
static void map(int fd, int times) {
  unsigned char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) err(1, "mmap");
  signal(SIGBUS, jump);
  volatile long stores = 0, buses = 0;
  while (stores < times || buses < times) {
    if (sigsetjmp(beyond, 1) != 0) {
      buses++;
      continue;
    }
    size_t start = rand() % (SIZE - PAGE);
    for (size_t at = start; at < start + PAGE; at++) memory[at] = at % PERIOD + 1;
    stores++;
  }
  printf("{\"stores\":%ld,\"buses\":%ld}\n", stores, buses);
}

int main(int argc, char **argv) {
  if (argc < 4) errx(2, "MODE FILE TIMES");
  int fd = open(argv[2], O_RDWR), times = atoi(argv[3]);
  if (fd == -1) err(1, "open");
  if (strcmp(argv[1], "flood") == 0) flood(fd, times, 0);
  else if (strcmp(argv[1], "flood-restart") == 0) flood(fd, times, SA_RESTART);
  else if (strcmp(argv[1], "append") == 0) append(fd);
  else if (strcmp(argv[1], "map") == 0) map(fd, times);
  else errx(2, "unknown mode");
  return 0;
}
