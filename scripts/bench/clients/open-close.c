/* Opens, stats and closes a file again and again. Usage: open-close FILE SECONDS. Prints how often a second. */
#include <err.h>
#include <fcntl.h>
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

int main(int argc, char *argv[])
{
	struct stat st;
	long count = 0;
	if (argc != 3)
		errx(1, "usage: open-close FILE SECONDS");
	double start = now(), end = start + atof(argv[2]), time;
	do {
		int fd = open(argv[1], O_RDONLY);
		if (fd < 0 || fstat(fd, &st) != 0 || close(fd) != 0)
			err(1, "%s", argv[1]);
		count++;
		time = now();
	} while (time < end);
	printf("%f\n", count / (time - start));
	return 0;
}
