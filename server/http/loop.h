/* The event thread: waits for the sockets and lets the HTTP library do its work.
 *
 * The library could bring a thread of its own. In 0.9.75 that one sleeps on top of what it has just been told
 * when exactly 128 sockets (or 256, ...) become ready at once: nobody is served until something else happens.
 */
#pragma once

#include <microhttpd.h>

struct loop;

/* Run a daemon that was made for epoll without a thread. NULL when the system gives no thread. */
struct loop *loop_start(struct MHD_Daemon *daemon);

/* A connection was resumed: have it seen to. From any thread. */
void loop_wake(struct loop *loop);

/* Take no more connections: who comes now is refused by the system. */
void loop_close(struct loop *loop);

/* End the thread and free the loop; then the daemon can be stopped. */
void loop_stop(struct loop *loop);
