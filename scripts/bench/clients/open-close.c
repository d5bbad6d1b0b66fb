/*
 * Opens, stats and closes a file again and again, or with a third argument reads it to its end instead of asking for its status.
 *
 * Usage: open-close FILE SECONDS [read]. Prints how often a second.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* What is done with an open file. Returns whether it could be. */
static bool use(int fd, bool reads)
{
	static char bytes[1 << 17];
	struct stat st;
	ssize_t count = 0;
	if (!reads)
		return fstat(fd, &st) == 0;
	while ((count = read(fd, bytes, sizeof bytes)) > 0)
		;
	return count == 0;
}

int main(int argc, char *argv[])
{
	long count = 0;
	if (argc != 3 && argc != 4)
		errx(1, "usage: open-close FILE SECONDS [read]");
	double start = now(), end = start + atof(argv[2]), time;
	do {
		int fd = open(argv[1], O_RDONLY);
		if (fd < 0 || !use(fd, argc == 4) || close(fd) != 0)
			err(1, "%s", argv[1]);
		count++;
		time = now();
	} while (time < end);
	printf("%f\n", count / (time - start));
	return 0;
}
