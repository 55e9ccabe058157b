// SPDX-License-Identifier: GPL-2.0-only
/*
 * screen.c - frames on a terminal
 *
 * A frame is drawn over the last one, line by line, and only the rests of the old lines are
 * cleared. So nothing flickers.
 */
#define _GNU_SOURCE
#include "screen.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#define ENTER		"\033[?1049h"	/* switches to a second screen, and LEAVE back */
#define LEAVE		"\033[?1049l"
#define HOME		"\033[H"
#define CLEAR_LINE	"\033[K"
#define CLEAR_BELOW	"\033[J"

static struct termios usual;
static volatile sig_atomic_t ended, stopped;
/* Signals are unblocked only while waiting for a key, so that none is lost just before. */
static sigset_t handled, unhandled;

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

/* Its only purpose is to interrupt the wait for a key. */
static void on_resize(int number)
{
	(void)number;
}

static bool have_keys_at_once(void)
{
	struct termios mode = usual;

	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0;
}

static void put(const char *chars, size_t nchars)
{
	ssize_t nwritten;

	while (nchars) {
		nwritten = write(STDOUT_FILENO, chars, nchars);
		if (nwritten < 0 && errno != EINTR)
			return;
		if (nwritten > 0) {
			chars += nwritten;
			nchars -= (size_t)nwritten;
		}
	}
}

static void handle(int number, void (*handler)(int number))
{
	struct sigaction action = { .sa_handler = handler };

	sigaddset(&handled, number);
	sigaction(number, &action, NULL);
}

/* The terminal cannot move its cursor. */
static bool is_dumb(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || strcmp(term, "dumb") == 0;
}

static void enter(void)
{
	put(ENTER HOME CLEAR_BELOW, sizeof(ENTER HOME CLEAR_BELOW) - 1);
}

bool screen_begin(void)
{
	if (is_dumb() || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &usual) ||
	    !have_keys_at_once())
		return false;
	handle(SIGINT, on_end);
	handle(SIGTERM, on_end);
	handle(SIGHUP, on_end);
	handle(SIGTSTP, on_stop);
	handle(SIGWINCH, on_resize);
	sigprocmask(SIG_BLOCK, &handled, &unhandled);
	enter();
	return true;
}

void screen_end(void)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &usual);
	put(LEAVE, sizeof(LEAVE) - 1);
}

/* Restores the terminal for others while this program is stopped. */
static void stop(void)
{
	stopped = 0;
	screen_end();
	raise(SIGSTOP);
	have_keys_at_once();
	enter();
}

static struct winsize size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return size;
}

void screen_show(const struct text *lines)
{
	struct text frame = { 0 };
	struct winsize room = size();
	const char *line = text_chars(lines);
	unsigned int nlines;
	size_t nchars;

	text_add(&frame, HOME);
	for (nlines = 0; *line && nlines < room.ws_row; nlines++) {
		nchars = strcspn(line, "\n");
		/* A character in the last column would make some terminals begin a new line. */
		text_add(&frame, "%s%.*s" CLEAR_LINE, nlines ? "\r\n" : "",
			 (int)(nchars < room.ws_col ? nchars : room.ws_col - 1U), line);
		line += nchars + (line[nchars] == '\n');
	}
	text_add(&frame, CLEAR_BELOW);
	put(text_chars(&frame), frame.nchars);
	text_free(&frame);
}

int screen_key(unsigned int milliseconds)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char key;
	struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};
	int ready = ppoll(&input, 1, &time, &unhandled);

	if (stopped) {
		stop();
		return KEY_NONE;
	}
	if (ended)
		return KEY_END;
	if (ready <= 0)
		return KEY_NONE;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : KEY_END;
}
