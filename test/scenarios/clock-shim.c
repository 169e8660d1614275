/* Loaded before the C library: the wall clock of a node is the machine's, shifted by the seconds in a file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void)
{
	static long none;
	static volatile long *shared;

	if (!shared) {
		const char *path = getenv("SCENE_CLOCK");
		int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);

		if (fd >= 0)
			close(fd);
		shared = map == MAP_FAILED ? &none : map;
	}
	return *shared;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
	int result = (int)syscall(SYS_clock_gettime, clock, at);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		at->tv_sec += shift();
	return result;
}

int gettimeofday(struct timeval *at, void *zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	at->tv_sec = now.tv_sec;
	at->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *at)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (at)
		*at = now.tv_sec;
	return now.tv_sec;
}

/*
 * A deadline is made of the shifted clock, but the kernel waits by the machine's: without this, all that waits while the
 * clock is behind would not wait at all, as it never is when a real clock steps.
 */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	struct timespec really = *until;

	really.tv_sec -= shift();
	return pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, &really);
}
