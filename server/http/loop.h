/* The event thread: waits for the sockets and lets the HTTP library do its work.
 *
 * The library could bring a thread of its own. In 0.9.75 that one sleeps on top of what it has just been told
 * when exactly 128 sockets (or 256, ...) become ready at once: nobody is served until something else happens.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

struct loop;

/* For a daemon that was made for epoll without a thread; never NULL. */
struct loop *loop_new(struct MHD_Daemon *daemon);

/* Start the thread. False when the system gives none. */
bool loop_start(struct loop *loop);

/* A connection was resumed: have it seen to. From any thread. */
void loop_wake(struct loop *loop);

/* Take no more connections: who comes now is refused by the system. */
void loop_close(struct loop *loop);

/* End the thread; then the daemon can be stopped. */
void loop_stop(struct loop *loop);

/* Free a loop whose thread does not run. */
void loop_free(struct loop *loop);
