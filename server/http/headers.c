#include "http/headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/path.h"

/* A part of a header value. */
struct span {
        const char *at;
        size_t len;
};

static struct span trim(struct span span)
{
        while (span.len > 0 && (span.at[0] == ' ' || span.at[0] == '\t')) {
                span.at++;
                span.len--;
        }
        while (span.len > 0 && (span.at[span.len - 1] == ' ' || span.at[span.len - 1] == '\t'))
                span.len--;
        return span;
}

static bool span_is(struct span span, const char *text)
{
        return span.len == strlen(text) && strncasecmp(span.at, text, span.len) == 0;
}

/* The next trimmed part up to a separator outside quotes; false at the end. */
static bool next_part(const char **rest, char separator, struct span *ret)
{
        const char *p = *rest;
        bool quoted = false;

        if (p == NULL)
                return false;
        for (; *p != '\0' && (quoted || *p != separator); p++) {
                if (quoted && *p == '\\' && p[1] != '\0')
                        p++;
                else if (*p == '"')
                        quoted = !quoted;
        }
        *ret = trim((struct span){*rest, (size_t)(p - *rest)});
        *rest = *p == '\0' ? NULL : p + 1;
        return true;
}

/* The next part of a part. */
static bool next_subpart(struct span *rest, char separator, struct span *ret)
{
        if (rest->at == NULL)
                return false;
        const char *end = memchr(rest->at, separator, rest->len);
        size_t len = end == NULL ? rest->len : (size_t)(end - rest->at);
        *ret = trim((struct span){rest->at, len});
        *rest = end == NULL ? (struct span){NULL, 0} : (struct span){end + 1, rest->len - len - 1};
        return true;
}

static bool is_alphanumeric(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool header_request_id_sane(const char *value)
{
        size_t len = 0;

        for (; len <= REQUEST_ID_MAX && value[len] != '\0'; len++)
                if (!is_alphanumeric(value[len]) && strchr("._-", value[len]) == NULL)
                        return false;
        return len >= 1 && len <= REQUEST_ID_MAX;
}

bool header_reason_sane(const char *value)
{
        size_t len = strlen(value);

        for (const char *p = value; *p != '\0'; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f)
                        return false;
        return len > 0 && len <= AUDIT_REASON_MAX && utf8_valid(value);
}

bool header_traceparent_sane(const char *value)
{
        static const char form[] = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";

        for (size_t i = 0; i < sizeof form; i++) { /* the NUL too */
                if (form[i] != 'h' ? value[i] != form[i] : strchr("0123456789abcdef", value[i]) == NULL)
                        return false;
                if (value[i] == '\0')
                        return form[i] == '\0';
        }
        return true;
}

bool header_idempotency_key(const char *value, char ret[IDEMPOTENCY_KEY_MAX + 1])
{
        char key[IDEMPOTENCY_KEY_MAX + 1];
        struct span text = trim((struct span){value, strlen(value)});
        bool quoted = text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"';
        size_t len = 0;

        if (quoted)
                text = (struct span){text.at + 1, text.len - 2};
        for (size_t i = 0; i < text.len; i++) {
                char c = text.at[i];
                if (quoted && c == '\\') /* a structured string (RFC 8941) escapes only these two */
                        c = ++i < text.len && (text.at[i] == '"' || text.at[i] == '\\') ? text.at[i] : '\0';
                else if (c == '"')
                        return false;
                if (c < 0x20 || c > 0x7E || len == IDEMPOTENCY_KEY_MAX)
                        return false;
                key[len++] = c;
        }
        if (len == 0)
                return false;
        memcpy(ret, key, len);
        ret[len] = '\0';
        return true;
}

bool header_if_match(const char *value, int64_t *ret_version)
{
        struct span text = trim((struct span){value, strlen(value)});
        char *end;

        if (span_is(text, "*")) {
                *ret_version = 0;
                return true;
        }
        bool weak = text.len >= 2 && strncmp(text.at, "W/", 2) == 0; /* never matches here: RFC 9110 13.1.1 */
        if (weak)
                text = (struct span){text.at + 2, text.len - 2};
        if (text.len < 2 || text.at[0] != '"' ||
            memchr(text.at + 1, '"', text.len - 1) != text.at + text.len - 1)
                return false;
        errno = 0;
        long long version = strtoll(text.at + 1, &end, 10);
        bool ours = !weak && errno == 0 && version > 0 && text.at[1] != '0' && is_alphanumeric(text.at[1]) &&
                    end == text.at + text.len - 1;
        *ret_version = ours ? version : -1;
        return true;
}

bool header_none_match(const char *value, const char *etag)
{
        struct span part;

        while (next_part(&value, ',', &part)) {
                if (span_is(part, "*"))
                        return true;
                if (part.len >= 2 && strncmp(part.at, "W/", 2) == 0)
                        part = (struct span){part.at + 2, part.len - 2};
                if (part.len == strlen(etag) && memcmp(part.at, etag, part.len) == 0)
                        return true;
        }
        return false;
}

bool header_prefers_minimal(const char *value)
{
        struct span part;

        while (next_part(&value, ',', &part))
                if (span_is(part, "return=minimal"))
                        return true;
        return false;
}

/* How narrowly a media range names a type: 3 exactly, 2 its main type, 1 everything, 0 not at all. */
static int range_specificity(struct span range, const char *type)
{
        size_t main_len = strcspn(type, "/") + 1;

        if (span_is(range, type))
                return 3;
        if (range.len == main_len + 1 && strncasecmp(range.at, type, main_len) == 0 &&
            range.at[main_len] == '*')
                return 2;
        return span_is(range, "*/*") ? 1 : 0;
}

/* Is the quality of a media range zero ("q=0", "q=0.000")? */
static bool refused_by_quality(struct span parameters)
{
        struct span parameter;

        while (next_subpart(&parameters, ';', &parameter)) {
                if (parameter.len < 3 || strncasecmp(parameter.at, "q=0", 3) != 0)
                        continue;
                for (size_t i = 3; i < parameter.len; i++)
                        if (parameter.at[i] >= '1' && parameter.at[i] <= '9')
                                return false;
                return true;
        }
        return false;
}

int header_accepts(const char *value, const char *type)
{
        struct span range;
        int best = 0;
        bool accepted = value == NULL;

        while (next_part(&value, ',', &range)) {
                struct span rest = range, name;
                if (!next_subpart(&rest, ';', &name))
                        continue;
                int specificity = range_specificity(name, type);
                if (specificity > best) {
                        best = specificity;
                        accepted = !refused_by_quality(rest);
                }
        }
        if (!accepted)
                return 0;
        return best > 0 ? best : 1;
}

bool header_is_type(const char *value, const char *type)
{
        struct span rest = {value, strlen(value)}, part;

        return next_subpart(&rest, ';', &part) && span_is(part, type);
}

bool header_parameter(const char *value, const char *name, char *ret, size_t size)
{
        struct span rest = {value, strlen(value)}, part;
        size_t name_len = strlen(name);

        (void)next_subpart(&rest, ';', &part);
        while (next_subpart(&rest, ';', &part)) {
                if (part.len <= name_len || strncasecmp(part.at, name, name_len) != 0 ||
                    part.at[name_len] != '=')
                        continue;
                part = (struct span){part.at + name_len + 1, part.len - name_len - 1};
                if (part.len >= 2 && part.at[0] == '"' && part.at[part.len - 1] == '"')
                        part = (struct span){part.at + 1, part.len - 2};
                if (part.len >= size)
                        return false;
                for (size_t i = 0; i < part.len; i++) {
                        char ch = part.at[i];
                        ret[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
                }
                ret[part.len] = '\0';
                return true;
        }
        return false;
}

bool header_is_json(const char *value, bool patch)
{
        struct span rest = {value, strlen(value)}, part;

        if (!next_subpart(&rest, ';', &part) ||
            (!span_is(part, "application/json") && !(patch && span_is(part, "application/merge-patch+json"))))
                return false;
        while (next_subpart(&rest, ';', &part))
                if (part.len >= 8 && strncasecmp(part.at, "charset=", 8) == 0 &&
                    !span_is(part, "charset=utf-8") && !span_is(part, "charset=\"utf-8\""))
                        return false;
        return true;
}

bool header_length(const char *value, uint64_t *ret)
{
        char *end;

        errno = 0;
        if (*value < '0' || *value > '9')
                return false;
        unsigned long long length = strtoull(value, &end, 10);
        if (errno != 0 || *end != '\0')
                return false;
        *ret = length;
        return true;
}
