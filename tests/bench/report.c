/* The table and the JSON file. */
#include "run.h"

static void words_of_file(const char *path, const char *key, char *out,
                          size_t size)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    snprintf(out, size, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        const char *value = strchr(line, ':');
        value = value == NULL ? line : value + 1;
        value += strspn(value, " \t");
        snprintf(out, size, "%.*s", (int)strcspn(value, "\r\n"), value);
        break;
    }
    if (file != NULL)
        fclose(file);
}

/** The machine as its kernel names it; under Wine this is the same file. */
static const char *machine(void)
{
    static char text[256];
    char vendor[64], model[128];
    words_of_file("/proc/cpuinfo", "vendor_id", vendor, sizeof vendor);
    words_of_file("/proc/cpuinfo", "model name", model, sizeof model);
    snprintf(text, sizeof text, "%s (%s)", model, vendor);
    return text;
}

static const char *load(void)
{
    static char text[64];
    words_of_file("/proc/loadavg", "", text, sizeof text);
    return text;
}

void report_head(const struct run_options *options, const char *system)
{
    printf("%s, processors %u and %u; %s; winshm %s; load %s\n", machine(),
           (unsigned)options->cpus[0], (unsigned)options->cpus[1], system,
           winshm_version_string(), load());
    printf("%u pairs of blocks of %u ms each; times are medians in "
           "nanoseconds per operation,\n"
           "ratio: the peer's time / winshm's, of each pair: median "
           "[least..most]; * misses its aim.\n\n",
           (unsigned)options->blocks, (unsigned)(options->budget / 1000000));
    printf("%-42s %-30s %11s %11s %9s %-19s %7s  %s\n", "case", "peer",
           "winshm", "peer", "ratio", "[least..most]", "aim",
           "processor time, floor, more");
    fflush(stdout);
}

/** A floor that moves by more than this says that the machine was busy. */
static bool steady(const struct spread *floor)
{
    return floor->most - floor->least <= floor->median / 4;
}

void report_case(const struct case_result *result)
{
    const struct bench_case *what = result->what;
    char aim[16] = "", range[32];
    snprintf(range, sizeof range, "[%.3g..%.3g]", result->ratio.least,
             result->ratio.most);
    if (what->aim != 0)
        snprintf(aim, sizeof aim, "%.4g%s", what->aim,
                 result->ratio.median < what->aim ? "*" : "");
    printf("%-42s %-30s %11.5g %11.5g %9.3g %-19s %7s  cpu %.4g/%.4g",
           what->title, what->peer_name, result->ours.ns.median,
           result->peer.ns.median, result->ratio.median, range, aim,
           result->ours.cpu.median, result->peer.cpu.median);
    if (what->ns_aim != 0)
        printf("; winshm aims at %.4g ns%s", what->ns_aim,
               result->ours.ns.median > what->ns_aim ? "*" : "");
    if (result->floor.median != 0) {
        double times = result->ours.ns.median / result->floor.median;
        printf("; floor %.4g%s", result->floor.median,
               steady(&result->floor) ? "" : " (unsteady)");
        if (what->floor_aim != 0)
            printf(", winshm %.3g of it, aim %.3g%s", times, what->floor_aim,
                   times > what->floor_aim ? "*" : "");
    }
    if (what->extra != NULL)
        printf("; %s %.3g/%.3g%s", what->extra, result->ours.extra.median,
               result->peer.extra.median,
               result->ours.extra.median < what->extra_aim ? "*" : "");
    if (result->ours.samples != 0)
        printf("; p99 %.4g/%.4g of %u%s", result->ours.p99, result->peer.p99,
               (unsigned)result->ours.samples,
               what->p99_aim != 0 && result->ours.p99 > what->p99_aim ? "*"
                                                                      : "");
    if (result->ours.hangs + result->peer.hangs != 0)
        printf("; HANGS %u/%u", (unsigned)result->ours.hangs,
               (unsigned)result->peer.hangs);
    printf("\n");
    fflush(stdout);
}

/** Texts come from the cases and the system; none has control characters. */
static void text(FILE *file, const char *key, const char *value)
{
    fprintf(file, "\"%s\": \"", key);
    for (; *value != '\0'; value++)
        fprintf(file, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    fprintf(file, "\"");
}

static void spread(FILE *file, const char *key, const struct spread *spread)
{
    fprintf(file, "\"%s\": [%.6g, %.6g, %.6g]", key, spread->median,
            spread->least, spread->most);
}

static void side(FILE *file, const char *key, const struct side_result *side)
{
    fprintf(file, "      \"%s\": {", key);
    spread(file, "ns", &side->ns);
    fprintf(file, ", ");
    spread(file, "cpu_ns", &side->cpu);
    fprintf(file, ", ");
    spread(file, "extra", &side->extra);
    fprintf(file, ", \"p99_ns\": %.6g, \"samples\": %u, \"hangs\": %u}",
            side->p99, (unsigned)side->samples, (unsigned)side->hangs);
}

static void write_case(FILE *file, const struct case_result *result)
{
    const struct bench_case *what = result->what;
    fprintf(file, "    {");
    text(file, "name", what->name);
    fprintf(file, ", ");
    text(file, "title", what->title);
    fprintf(file, ", ");
    text(file, "peer_name", what->peer_name);
    fprintf(file, ",\n      ");
    text(file, "waits", what->waits);
    fprintf(file, ", \"bytes\": %llu, \"aim\": %g, \"floor_aim\": %g,\n      ",
            (unsigned long long)what->bytes, what->aim, what->floor_aim);
    text(file, "extra", what->extra == NULL ? "" : what->extra);
    fprintf(file,
            ", \"extra_aim\": %g, \"ns_aim\": %g, \"p99_aim\": %g,\n      ",
            what->extra_aim, what->ns_aim, what->p99_aim);
    spread(file, "ratio", &result->ratio);
    fprintf(file, ", \"ratios\": [");
    for (uint32_t i = 0; i < result->blocks; i++)
        fprintf(file, "%s%.6g", i == 0 ? "" : ", ", result->ratios[i]);
    fprintf(file, "],\n      ");
    spread(file, "floor_ns", &result->floor);
    fprintf(file, ",\n");
    side(file, "winshm", &result->ours);
    fprintf(file, ",\n");
    side(file, "peer", &result->peer);
    fprintf(file, "}");
}

bool report_write(const char *path, const struct run_options *options,
                  const char *system, const struct case_result *results,
                  uint32_t count)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    fprintf(file, "{\n  ");
    text(file, "machine", machine());
    fprintf(file, ",\n  ");
    text(file, "system", system);
    fprintf(file, ",\n  ");
    text(file, "winshm", winshm_version_string());
    fprintf(file, ",\n  ");
    text(file, "load_at_end", load());
    fprintf(file,
            ",\n  \"blocks\": %u, \"block_ns\": %llu, \"processors\": [%u, "
            "%u],\n  \"spreads\": \"median, least, most\",\n  \"cases\": [\n",
            (unsigned)options->blocks, (unsigned long long)options->budget,
            (unsigned)options->cpus[0], (unsigned)options->cpus[1]);
    for (uint32_t i = 0; i < count; i++) {
        write_case(file, &results[i]);
        fprintf(file, i + 1 < count ? ",\n" : "\n");
    }
    fprintf(file, "  ]\n}\n");
    return fclose(file) == 0;
}
