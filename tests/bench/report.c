/* The results: one line of JSON for each case or point of a curve, as soon as
 * it is known. report.py reads them. */
#include "run.h"

/** Texts come from the cases; none has control characters or quotes. */
static void text(const char *key, const char *value)
{
    printf("\"%s\": \"%s\", ", key, value == NULL ? "" : value);
}

static void number(const char *key, double value)
{
    printf("\"%s\": %.6g, ", key, value);
}

static void spread(const char *key, const struct spread *spread)
{
    printf("\"%s\": [%.6g, %.6g, %.6g], ", key, spread->median, spread->least,
           spread->most);
}

static void side(const char *key, const struct side_result *side)
{
    printf("\"%s\": {", key);
    spread("ns", &side->ns);
    spread("cpu_ns", &side->cpu);
    spread("extra", &side->extra);
    number("p99_ns", side->p99);
    number("most_ns", side->most);
    printf("\"samples\": %u, \"hangs\": %u}, ", (unsigned)side->samples,
           (unsigned)side->hangs);
}

void report_case(const struct case_result *result)
{
    const struct bench_case *what = result->what;
    printf("{");
    text("name", what->name);
    text("title", what->title);
    text("peer_name", what->peer_name);
    text("waits", what->waits);
    text("extra", what->extra);
    number("aim", what->aim);
    number("floor_aim", what->floor_aim);
    number("ns_aim", what->ns_aim);
    number("p99_aim", what->p99_aim);
    number("extra_aim", what->extra_aim);
    spread("ratio", &result->ratio);
    printf("\"ratios\": [");
    for (uint32_t i = 0; i < result->blocks; i++)
        printf("%s%.6g", i == 0 ? "" : ", ", result->ratios[i]);
    printf("], ");
    spread("floor_ns", &result->floor);
    side("winshm", &result->ours);
    side("peer", &result->peer);
    printf("\"bytes\": %llu}\n", (unsigned long long)what->bytes);
    fflush(stdout);
}

void report_point(const char *curve, const char *series, uint64_t x,
                  const struct spread *ns)
{
    printf("{");
    text("curve", curve);
    text("series", series);
    spread("ns", ns);
    printf("\"x\": %llu}\n", (unsigned long long)x);
    fflush(stdout);
}
