/* Reads a small file from its start in every way that Linux has, and prints what each gave: so many bytes with this sum, or an error. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char bytes[65536];
static int file, out, ends[2];
static FILE *copy;
static sigjmp_buf beyond;

static void told(const char *way, ssize_t length) {
  unsigned sum = 0;
  for (ssize_t i = 0; i < length; i++) sum = sum * 31 + (unsigned char)bytes[i];
  if (length < 0) printf("%s %s\n", way, strerrorname_np(errno));
  else printf("%s %zd %u\n", way, length, sum);
}

/* What has arrived at the other end. */
static ssize_t from(int end, ssize_t length) { return length <= 0 ? length : read(end, bytes, length); }

static ssize_t whole(ssize_t (*some)(void)) {
  ssize_t all = 0;
  for (ssize_t length; (length = some()) != 0; all += length)
    if (length < 0) return length;
  return all;
}
static ssize_t to_copy(void) { return sendfile(fileno(copy), file, NULL, 4096); }
static ssize_t to_copy_by_range(void) { return copy_file_range(file, NULL, fileno(copy), NULL, 4096, 0); }
static ssize_t copied(ssize_t length) { return length < 0 ? length : pread(fileno(copy), bytes, sizeof bytes, 0); }

static ssize_t aio(void) {
  aio_context_t context = 0;
  struct iocb block = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = file, .aio_buf = (long)bytes, .aio_nbytes = 4096};
  struct iocb *blocks = &block;
  struct io_event event;
  if (syscall(SYS_io_setup, 1, &context) < 0 || syscall(SYS_io_submit, context, 1, &blocks) < 0) return -1;
  if (syscall(SYS_io_getevents, context, 1, 1, &event, NULL) < 0) return -1;
  syscall(SYS_io_destroy, context);
  return event.res < 0 ? (errno = -event.res, -1) : event.res;
}

static ssize_t uring(void) {
  struct io_uring_params at = {0};
  int ring = syscall(SYS_io_uring_setup, 1, &at);
  if (ring < 0) return -1;
  char *queue = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *entry = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
  *entry = (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = file, .addr = (long)bytes, .len = 4096};
  *(unsigned *)(queue + at.sq_off.array) = 0;
  __atomic_store_n((unsigned *)(queue + at.sq_off.tail), 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return -1;
  int result = ((struct io_uring_cqe *)(queue + at.cq_off.cqes))->res;
  close(ring);
  return result < 0 ? (errno = -result, -1) : result;
}

static void out_of_range(int signal) { siglongjmp(beyond, signal); }

static ssize_t map(void) {
  char *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
  if (mapped == MAP_FAILED) return -1;
  signal(SIGBUS, out_of_range);
  if (sigsetjmp(beyond, 1)) return errno = EFAULT, -1;
  memcpy(bytes, mapped, 4096);
  return strnlen(bytes, 4096);
}

int main(int argc, char **argv) {
  (void)argc;
#define WAY(name, length)                                        \
  do {                                                           \
    if ((file = open(argv[1], O_RDONLY)) < 0) return perror(argv[1]), 1; \
    copy = tmpfile();                                            \
    memset(bytes, 0, sizeof bytes);                              \
    told(name, length);                                          \
    fclose(copy);                                                \
    close(file);                                                 \
  } while (0)
  struct iovec parts[2] = {{bytes, 3}, {bytes + 3, 4096}};
  WAY("read", read(file, bytes, 4096));
  WAY("readv", readv(file, parts, 2));
  WAY("pread", pread(file, bytes, 4096, 0));
  WAY("preadv2", preadv2(file, parts, 2, -1, 0));
  WAY("libaio", aio());
  WAY("io_uring", uring());
  if (pipe(ends) < 0) return perror("pipe"), 1;
  out = ends[1];
  WAY("splice", from(ends[0], splice(file, NULL, out, NULL, 4096, 0)));
  WAY("sendfile to a pipe", from(ends[0], sendfile(out, file, NULL, 4096)));
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return perror("socketpair"), 1;
  WAY("sendfile to a socket", from(ends[0], sendfile(ends[1], file, NULL, 4096)));
  WAY("sendfile to a file", copied(whole(to_copy)));
  WAY("copy_file_range", copied(whole(to_copy_by_range)));
  WAY("mmap", map());
  return 0;
}
