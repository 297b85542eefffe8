/* patron-load: puts a measured load on a Patron server of this machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define KEY_SIZE          256
#define RUN_SIZE          64
#define RATE_MAX          1e6
#define SECONDS_MAX       86400.0
#define CUSTOMERS_DEFAULT 100000
#define COUPONS_MAX       1000000
#define SECONDS_DEFAULT   10
#define WARM_DEFAULT      1
#define NS_PER_MS         1e6

static const char usage_text[] =
        "patron-load --address 127.0.0.1:PORT --key-file FILE --mix orders|hot|reads|mixed|seed\n"
        "\n"
        "Sends requests over kept-alive connections and says how fast they were answered. Loopback only.\n"
        "\n"
        "  --connections N   at the same time (default 1)\n"
        "  --rate R          open loop: R requests a second, latency from the due time; without it: closed loop\n"
        "  --seconds S       measured (default 10)\n"
        "  --warm S          before that, not measured (default 1)\n"
        "  --count N         stop after N requests\n"
        "  --customers M     load-0 to load-(M-1) (default 100000)\n"
        "  --coupons FILE    codes, one a line, each worth 100 minor units: every order uses one, to the last\n"
        "  --json            the result as one JSON object\n"
        "\n"
        "orders: new orders, customers drawn evenly; hot: new orders of ten customers; reads: a customer's points;\n"
        "mixed: four reads to one order; seed: one order for each customer, with --customers as its --count.\n"
        "The API key is read from FILE or from PATRON_KEY.\n";

struct options {
        struct load_plan plan;
        struct request_maker maker;
        char key[KEY_SIZE], run[RUN_SIZE];
        bool json;
};

static void die(const char *text, const char *value) __attribute__((noreturn));
static void die(const char *text, const char *value)
{
        fprintf(stderr, "patron-load: %s: %s\n", text, value);
        exit(2);
}

static void misused(void) __attribute__((noreturn));
static void misused(void)
{
        fputs(usage_text, stderr);
        exit(2);
}

static double number(const char *text, double low, double high)
{
        char *end;
        errno = 0;
        double value = strtod(text, &end);

        if (errno != 0 || *text == '\0' || *end != '\0' || !(value >= low && value <= high))
                die("not a number in range", text);
        return value;
}

/* "127.0.0.1:8080" or "[::1]:8080"; anything but loopback ends the program: a load is not for other people's
 * hosts. */
static void take_address(const char *text, struct load_plan *plan)
{
        const char *colon = strrchr(text, ':');
        char host[INET6_ADDRSTRLEN + 2] = "";
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

        if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
                die("not an address with a port", text);
        memcpy(host, text, (size_t)(colon - text));
        in_port_t port = htons((in_port_t)number(colon + 1, 1, 65535));

        if (inet_pton(AF_INET, host, &v4.sin_addr) == 1 &&
            ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET) {
                v4.sin_port = port;
                memcpy(&plan->address, &v4, sizeof(v4));
                plan->address_length = sizeof(v4);
        } else if (strcmp(host, "[::1]") == 0) {
                v6.sin6_addr = in6addr_loopback;
                v6.sin6_port = port;
                memcpy(&plan->address, &v6, sizeof(v6));
                plan->address_length = sizeof(v6);
        } else {
                die("not a loopback address", text);
        }
}

static void take_key(const char *path, char key[KEY_SIZE])
{
        FILE *file = fopen(path, "re");

        if (file == NULL || fgets(key, KEY_SIZE, file) == NULL)
                die("can't read the key", path);
        fclose(file);
        key[strcspn(key, "\r\n")] = '\0';
}

/* Codes of coupons, one a line; the load ends with them. */
static void take_coupons(const char *path, struct options *options)
{
        struct request_maker *maker = &options->maker;
        FILE *file = fopen(path, "re");
        char line[COUPON_SIZE + 1];

        if (file == NULL)
                die("can't read the coupons", path);
        maker->coupons = calloc(COUPONS_MAX, sizeof *maker->coupons);
        while (maker->coupons != NULL && maker->coupon_count < COUPONS_MAX &&
               fgets(line, sizeof line, file) != NULL) {
                line[strcspn(line, "\r\n")] = '\0';
                if (strlen(line) != COUPON_SIZE - 1)
                        die("not a coupon's code", line);
                memcpy(maker->coupons[maker->coupon_count++], line, COUPON_SIZE);
        }
        fclose(file);
        if (maker->coupon_count == 0)
                die("no coupons", path);
        options->plan.count = maker->coupon_count;
}

static void take_option(int option, const char *value, struct options *options)
{
        switch (option) {
        case 'a':
                take_address(value, &options->plan);
                return;
        case 'k':
                take_key(value, options->key);
                return;
        case 'm':
                options->maker.mix = mix_by_name(value);
                if (options->maker.mix == MIX_NONE)
                        die("not a mix", value);
                return;
        case 'c':
                options->plan.connections = (unsigned)number(value, 1, CONNECTIONS_MAX);
                return;
        case 'r':
                options->plan.rate = number(value, 1e-3, RATE_MAX);
                return;
        case 's':
                options->plan.seconds = number(value, 1e-3, SECONDS_MAX);
                return;
        case 'w':
                options->plan.warm_seconds = number(value, 0, SECONDS_MAX);
                return;
        case 'n':
                options->plan.count = (uint64_t)number(value, 1, 1e12);
                return;
        case 'M':
                options->maker.customers = (uint64_t)number(value, 1, 1e9);
                return;
        case 'o':
                take_coupons(value, options);
                return;
        case 'j':
                options->json = true;
                return;
        case 'h':
                fputs(usage_text, stdout);
                exit(EXIT_SUCCESS);
        default:
                misused();
        }
}

static void take_options(int argc, char **argv, struct options *options)
{
        static const struct option table[] = {{"address", required_argument, NULL, 'a'},
                                              {"key-file", required_argument, NULL, 'k'},
                                              {"mix", required_argument, NULL, 'm'},
                                              {"connections", required_argument, NULL, 'c'},
                                              {"rate", required_argument, NULL, 'r'},
                                              {"seconds", required_argument, NULL, 's'},
                                              {"warm", required_argument, NULL, 'w'},
                                              {"count", required_argument, NULL, 'n'},
                                              {"customers", required_argument, NULL, 'M'},
                                              {"coupons", required_argument, NULL, 'o'},
                                              {"json", no_argument, NULL, 'j'},
                                              {"help", no_argument, NULL, 'h'},
                                              {NULL, 0, NULL, 0}};
        const char *key = getenv("PATRON_KEY");
        int option;

        while ((option = getopt_long(argc, argv, "", table, NULL)) != -1)
                take_option(option, optarg, options);
        if (options->key[0] == '\0' && key != NULL && strlen(key) < KEY_SIZE)
                memcpy(options->key, key, strlen(key) + 1);
        if (optind != argc || options->plan.address_length == 0 || options->maker.mix == MIX_NONE ||
            options->key[0] == '\0')
                misused();
}

/* Names of a seed are the same in every run, so that seeding twice changes nothing; all others are new. */
static void name_run(struct options *options)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        options->maker.random = (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 32;
        if (options->maker.mix == MIX_SEED) {
                options->maker.random = 0;
                options->plan.count = options->maker.customers;
                options->plan.seconds = SECONDS_MAX;
                options->plan.warm_seconds = 0;
                snprintf(options->run, sizeof(options->run), "seed");
        } else {
                snprintf(options->run, sizeof(options->run), "%" PRIx64 "-%x", (uint64_t)now.tv_sec,
                         (unsigned)getpid());
        }
        options->maker.key = options->key;
        options->maker.run = options->run;
}

static double milliseconds(const struct load_result *result, unsigned permille)
{
        return (double)histogram_permille(&result->latency_ns, permille) / NS_PER_MS;
}

static void print_text(const struct load_result *result, double rate)
{
        printf("%.0f/s for %.1f s; ms: p50 %.2f  p95 %.2f  p99 %.2f  max %.2f\n", rate, result->seconds,
               milliseconds(result, 500), milliseconds(result, 950), milliseconds(result, 990),
               (double)result->latency_ns.max / NS_PER_MS);
        for (int status = 0; status < STATUS_MAX; status++) {
                if (result->statuses[status] > 0)
                        printf("  %d: %" PRIu64 "\n", status, result->statuses[status]);
        }
        if (result->broken > 0 || result->unanswered > 0)
                printf("  broken connections: %" PRIu64 ", unanswered: %" PRIu64 "\n", result->broken,
                       result->unanswered);
}

static void print_json(const struct load_result *result, double rate)
{
        const char *comma = "";

        printf("{\"rate\":%.1f,\"seconds\":%.3f,\"answers\":%" PRIu64
               ",\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"statuses\":{",
               rate, result->seconds, result->latency_ns.count, milliseconds(result, 500),
               milliseconds(result, 950), milliseconds(result, 990),
               (double)result->latency_ns.max / NS_PER_MS);
        for (int status = 0; status < STATUS_MAX; status++) {
                if (result->statuses[status] > 0) {
                        printf("%s\"%d\":%" PRIu64, comma, status, result->statuses[status]);
                        comma = ",";
                }
        }
        printf("},\"broken\":%" PRIu64 ",\"unanswered\":%" PRIu64 "}\n", result->broken, result->unanswered);
}

/* Whether every request was answered well. */
static bool all_good(const struct load_result *result)
{
        for (int status = 400; status < STATUS_MAX; status++) {
                if (result->statuses[status] > 0)
                        return false;
        }
        return result->broken == 0 && result->unanswered == 0 && result->latency_ns.count > 0;
}

int main(int argc, char **argv)
{
        static struct options options = {
                .plan = {.connections = 1, .seconds = SECONDS_DEFAULT, .warm_seconds = WARM_DEFAULT},
                .maker = {.customers = CUSTOMERS_DEFAULT}};
        static struct load_result result;

        take_options(argc, argv, &options);
        name_run(&options);
        if (!load_run(&options.plan, &options.maker, &result))
                return EXIT_FAILURE;
        double rate = result.seconds > 0 ? (double)result.in_time / result.seconds : 0;
        if (options.json)
                print_json(&result, rate);
        else
                print_text(&result, rate);
        return all_good(&result) ? EXIT_SUCCESS : EXIT_FAILURE;
}
