/*
 * Appends records of 100 bytes to an empty file.
 *
 * Usage: append FILE RECORDS. Prints the seconds that all took, and those of the first and of the last tenth.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 100 };

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char *argv[])
{
	char record[RECORD];
	struct stat st;
	if (argc != 3)
		errx(1, "usage: append FILE RECORDS");
	long tenth = atol(argv[2]) / 10;
	memset(record, 'a', RECORD);
	int fd = open(argv[1], O_WRONLY | O_APPEND);
	if (fd < 0)
		err(1, "%s", argv[1]);
	double mark[11] = { now() };
	for (int part = 1; part <= 10; part++) {
		for (long i = 0; i < tenth; i++)
			if (write(fd, record, RECORD) != RECORD)
				err(1, "write to %s", argv[1]);
		mark[part] = now();
	}
	if (fstat(fd, &st) != 0 || st.st_size != 10 * tenth * RECORD)
		errx(1, "%s has %lld bytes after %ld appends of %d", argv[1], (long long)st.st_size, 10 * tenth, RECORD);
	printf("%f %f %f\n", mark[10] - mark[0], mark[1] - mark[0], mark[10] - mark[9]);
	return 0;
}
