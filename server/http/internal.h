/* What the files of server/http share: one request on its way from the event thread to a worker and back.
 *
 * Who owns a request: the event thread until lanes_put, the worker until MHD_resume_connection (or until
 * recorder_put, and then the recorder), then the event thread again until the request's arena is freed in
 * request_end. Nobody else ever touches it. A request that streams has both at once: what they share is
 * behind the lock of its struct streaming, and the one who leaves last frees it. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "access/access.h"
#include "http/endpoint.h"
#include "http/idempotency.h"
#include "http/router.h"
#include "http/server.h"

struct builtin;
struct keeper;
struct lanes;
struct loop;
struct metrics;
struct recorder;

struct server {
        struct server_options options;
        struct arena *arena; /* what lives as long as the server */
        const struct router *router;
        struct metrics *metrics;
        struct lanes *lanes;
        struct recorder *recorder;
        struct keeper *keeper;
        struct MHD_Daemon *daemon;
        struct loop *loop;
        atomic_bool draining;
        atomic_bool giving_up; /* the drain's time is over: nobody may wait for a client any more */
        atomic_uint in_flight; /* requests that are wholly read and not yet answered */
        atomic_uint connections;
};

/* The request headers that are looked at; NULL when absent. The text is the connection's. */
struct head {
        const char *accept, *audit_reason, *authorization, *content_encoding, *content_length, *content_type,
                *expect, *idempotency_key, *if_match, *if_none_match, *origin, *prefer, *request_id,
                *traceparent, *transfer_encoding;
        const char *repeated; /* name of a header that came twice but must not */
};

/* What is going to be sent. */
struct answer {
        int status; /* 0: not decided yet */
        struct text body;
        const char *fixed_body; /* instead of body: outlives the server */
        size_t fixed_len;
        const char *type;            /* Content-Type; NULL: application/json */
        const char *location, *etag; /* etag with its quotes */
        const char *allow, *policy;  /* Allow, Content-Security-Policy */
        const char *cache;           /* Cache-Control; NULL: by etag */
        bool idempotency_hit;
        bool minimal_applied; /* Prefer: return=minimal */
};

enum phase {
        PHASE_HEAD,    /* the head is complete, nothing was looked at */
        PHASE_BODY,    /* the body comes in */
        PHASE_UPLOAD,  /* the body comes in and goes on to a worker */
        PHASE_WORKING, /* suspended, in a queue or with a worker */
        PHASE_DONE,    /* response is there */
};

struct pipe {
        char *data;        /* a ring */
        size_t start, len; /* bytes in it */
        bool closed;       /* no more will come */
};

/* What the event thread and the worker of a streaming request share. */
struct streaming {
        pthread_mutex_t lock;
        pthread_cond_t moved; /* for the worker */
        struct pipe in, out;
        bool held;     /* by a worker, or on the way to one */
        bool gone;     /* the client went away, the worker frees the request */
        bool stalled;  /* the connection is suspended until the pipe has room, or bytes */
        bool begun;    /* the head of the answer is out */
        bool unwanted; /* HEAD: the bytes are not sent */
        bool failed;   /* cut the answer short */
};

struct request {
        struct server *server;
        struct MHD_Connection *connection;
        enum phase phase;
        struct ctx ctx; /* its arena holds this request too */
        struct reply reply;
        enum err err; /* ctx.problem says more */

        const char *method, *target; /* as sent; the target is path and query */
        const char *path, *query;    /* still percent-encoded; query "" when there is none */
        struct head head;
        const char *traceparent;       /* where it is sane */
        const struct builtin *builtin; /* the server's own page, or NULL */
        struct match match;            /* match.route NULL: no endpoint was found */
        struct access_grant grant;
        bool has_body, keep_body, prefers_minimal;
        struct text body;
        uint64_t body_announced; /* Content-Length */
        uint64_t body_bytes;     /* received, kept or not */

        void *in, *out;
        const struct pick *pick;      /* what of out is wanted; NULL: all */
        struct idempotent idempotent; /* .key NULL: not asked for */
        struct uuids shown;           /* whose personal data the answer shows unmasked */

        struct request *next; /* in a queue */
        /* Monotonic. A request arrives with its last byte (with its first line until then): how slowly a
         * client sends is not our time. started_us 0: no worker took it. */
        int64_t arrived_us, started_us;

        struct answer answer;
        struct MHD_Response *response;
        struct streaming *streaming; /* NULL: an ordinary request */
        bool counted;                /* in server->in_flight */
};

/* ---- request.c: on the event thread */

/* Make a request for a target ("/v1/orders?limit=5"). */
struct request *request_new(struct server *server, const char *target);

/* Look at method and headers: who asks, for what, may they, in which form. Sets r->err. */
void request_begin(struct request *r);

/* Take in a piece of the body. False: far too much, cut the connection. */
bool request_body(struct request *r, const char *data, size_t len);

/* Must the answer go out before the body is read? */
bool request_refused_early(const struct request *r);

/* Decode path, query and body into r->in, all faults at once. */
enum err request_decode(struct request *r) MUST_CHECK;

/* Decode path and query only, before the body of an upload comes in. */
enum err request_decode_head(struct request *r) MUST_CHECK;

/* ---- stream.c: see http/stream.h for what endpoints call */

struct streaming *streaming_new(void);
void streaming_free(struct streaming *s);

/* Event thread: hand bytes of the body on; *len is what did not fit (the connection is suspended then). */
void stream_body_put(struct request *r, const char *data, size_t *len);

/* Event thread: the body is whole. Is the answer there already? Else the connection is suspended. */
bool stream_body_end(struct request *r);

/* Event thread: MHD_ContentReaderCallback. */
ssize_t stream_pull(void *cls, uint64_t position, char *buffer, size_t size);

/* Event thread: the connection is done with. Does a worker still hold the request, and will free it? */
bool stream_abandon(struct request *r);

/* Worker: done, r->err says how. It must not be touched afterwards. */
void stream_finish(struct request *r);

/* ---- answer.c: on either thread */

/* The version for the ETag, 0 when there is none. */
int64_t answer_version(const struct request *r);

/* Fill r->answer from the endpoint's out and reply. */
void answer_render(struct request *r);

/* Make r->response from the outcome (r->err, r->answer). */
void answer_finish(struct request *r);

/* Make r->response of a stream that stream_pull fills. */
void answer_stream(struct request *r, const char *content_type);

/* ---- listener.c */

/* Listen and serve; sets server->daemon and ->loop. False with *ret_why when the address can't be listened
 * on. */
bool listener_start(struct server *server, const char **ret_why);

/* End it, cutting what connections there are; none may be suspended. */
void listener_stop(struct server *server);

/* Hand a finished request back to the event thread; it must not be touched afterwards. */
void listener_resume(struct request *r);

/* Free what belongs to a request, and it; counts it out. */
void request_free(struct request *r);
