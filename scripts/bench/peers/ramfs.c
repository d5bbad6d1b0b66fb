/*
 * The peer in C: one file in RAM, served through libfuse's low-level interface with its multi-threaded loop.
 *
 * A mutex stands around one growing buffer, and each read and write reaches it: FOPEN_DIRECT_IO with
 * FOPEN_PARALLEL_DIRECT_WRITES. Requests are of 1 MiB, which libfuse 3.10 and newer agrees on by itself.
 *
 * Usage: ramfs DIR. Serves DIR/file until DIR is unmounted.
 */
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef FOPEN_PARALLEL_DIRECT_WRITES
#define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

enum { FILE_INO = 2, SMALLEST = 1 << 16 };

/* Only this mount changes the file, and the kernel forgets what a write changes. */
static const double FOREVER = 3600;

static const char NAME[] = "file";

/* The largest request, in bytes: 256 pages, the kernel's own limit. */
enum { LARGEST = 1 << 20 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char *data;
static size_t size, capacity;
static struct timespec atime, mtime, ctime_;
static mode_t mode = S_IFREG | 0666;

static struct timespec now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME_COARSE, &time);
	return time;
}

static struct stat status(fuse_ino_t ino)
{
	struct stat st = { .st_ino = ino };
	if (ino == FUSE_ROOT_ID) {
		st.st_mode = S_IFDIR | 0555;
		st.st_nlink = 2;
		return st;
	}
	pthread_mutex_lock(&mutex);
	st.st_mode = mode;
	st.st_nlink = 1;
	st.st_uid = getuid();
	st.st_gid = getgid();
	st.st_size = size;
	st.st_blocks = (size + 511) / 512;
	st.st_atim = atime;
	st.st_mtim = mtime;
	st.st_ctim = ctime_;
	pthread_mutex_unlock(&mutex);
	return st;
}

/* Makes room for `wanted` bytes, with the mutex held. realloc moves pages of a large buffer, not bytes. */
static int grow(size_t wanted)
{
	size_t roomy = capacity ? capacity : SMALLEST;
	if (wanted <= capacity)
		return 0;
	if (wanted > PTRDIFF_MAX / 2)
		return EFBIG;
	while (roomy < wanted)
		roomy *= 2;
	char *bigger = realloc(data, roomy);
	if (bigger == NULL)
		return ENOSPC;
	data = bigger;
	capacity = roomy;
	return 0;
}

/* With the mutex held. */
static int resize(size_t wanted)
{
	int error = grow(wanted);
	if (error)
		return error;
	if (wanted > size)
		memset(data + size, 0, wanted - size);
	size = wanted;
	if (size == 0) {
		free(data);
		data = NULL;
		capacity = 0;
	}
	return 0;
}

static void ramfs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (parent != FUSE_ROOT_ID || strcmp(name, NAME) != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	struct fuse_entry_param entry = {
		.ino = FILE_INO, .attr = status(FILE_INO), .attr_timeout = FOREVER, .entry_timeout = FOREVER
	};
	fuse_reply_entry(req, &entry);
}

static void ramfs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
	(void)file;
	struct stat st = status(ino);
	fuse_reply_attr(req, &st, FOREVER);
}

static void ramfs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *change, int valid, struct fuse_file_info *file)
{
	int error = 0;
	(void)file;
	pthread_mutex_lock(&mutex);
	ctime_ = now();
	if (valid & FUSE_SET_ATTR_MODE)
		mode = S_IFREG | (change->st_mode & 07777);
	if (valid & FUSE_SET_ATTR_SIZE) {
		error = resize(change->st_size);
		mtime = ctime_;
	}
	if (valid & FUSE_SET_ATTR_ATIME)
		atime = change->st_atim;
	if (valid & FUSE_SET_ATTR_MTIME)
		mtime = change->st_mtim;
	pthread_mutex_unlock(&mutex);
	struct stat st = status(ino);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_attr(req, &st, FOREVER);
}

/*
 * libfuse 3.14, which is Debian 12's, has no field of fuse_file_info for FOPEN_PARALLEL_DIRECT_WRITES, so the kernel's
 * own struct is sent as the body of the reply.
 */
static void ramfs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
	(void)file;
	if (ino != FILE_INO) {
		fuse_reply_err(req, EISDIR);
		return;
	}
	struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES };
	fuse_reply_buf(req, (const char *)&out, sizeof out);
}

/*
 * A read is copied out and answered with the mutex free: an answer wakes its client up, which takes longer than the copy
 * of 4 KiB, and with the mutex held four clients got fewer than half as many of them.
 */
static void ramfs_read(fuse_req_t req, fuse_ino_t ino, size_t length, off_t offset, struct fuse_file_info *file)
{
	static _Thread_local char copy[LARGEST];
	(void)ino;
	(void)file;
	pthread_mutex_lock(&mutex);
	atime = now();
	size_t start = offset, there = start < size ? size - start : 0;
	size_t count = length < there ? length : there;
	count = count < LARGEST ? count : LARGEST;
	if (count > 0)
		memcpy(copy, data + start, count);
	pthread_mutex_unlock(&mutex);
	fuse_reply_buf(req, copy, count);
}

static void ramfs_write(fuse_req_t req, fuse_ino_t ino, const char *from, size_t length, off_t offset,
			struct fuse_file_info *file)
{
	(void)ino;
	(void)file;
	size_t start = offset, end = start + length;
	pthread_mutex_lock(&mutex);
	int error = start > size ? resize(start) : 0;
	if (!error)
		error = grow(end);
	if (!error) {
		memcpy(data + start, from, length);
		size = end > size ? end : size;
		mtime = ctime_ = now();
	}
	pthread_mutex_unlock(&mutex);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_write(req, length);
}

static void ramfs_readdir(fuse_req_t req, fuse_ino_t ino, size_t room, off_t offset, struct fuse_file_info *file)
{
	char entry[256];
	(void)file;
	if (ino != FUSE_ROOT_ID) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	struct stat st = { .st_ino = FILE_INO, .st_mode = S_IFREG };
	size_t length = offset == 0 ? fuse_add_direntry(req, entry, sizeof entry, NAME, &st, 1) : 0;
	fuse_reply_buf(req, entry, length <= room ? length : 0);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = ramfs_lookup,
	.getattr = ramfs_getattr,
	.setattr = ramfs_setattr,
	.open = ramfs_open,
	.read = ramfs_read,
	.write = ramfs_write,
	.readdir = ramfs_readdir,
};

int main(int argc, char *argv[])
{
	char *words[] = { argv[0], "-ofsname=ramfs,default_permissions" };
	struct fuse_args args = FUSE_ARGS_INIT(2, words);
	if (argc != 2)
		return 2;
	atime = mtime = ctime_ = now();

	struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, NULL);
	if (session == NULL || fuse_set_signal_handlers(session) != 0 || fuse_session_mount(session, argv[1]) != 0)
		return 1;
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int error = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	return error ? 1 : 0;
}
