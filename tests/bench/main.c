/* Usage: bench [--quick] [--only PART] [--system TEXT] [--json FILE] [--list]
 *
 * Started by bench.sh, which also builds it; alone it does as well. */
#include "run.h"

static const struct role roles[] = {{"ours", run_child_ours},
                                    {"peer", run_child_peer},
                                    {"floor", run_child_floor},
                                    {NULL, NULL}};

enum { CASES = 128 };

static void list(void)
{
    for (uint32_t i = 0; bench_case_at(i) != NULL; i++)
        printf("%s\n", bench_case_at(i)->name);
}

int main(int argc, char **argv)
{
    static struct case_result results[CASES];
    struct run_options options = {
        .blocks = 9, .budget = 200 * 1000 * 1000, .kills = 25};
    const char *json = NULL, *system = "an unnamed system";
    uint32_t count = 0;

    /* The library looks once at how many processors it may use. It would see
     * only one after the pinning, and would not wait by spinning then. */
    winshm_region *none;
    BENCH_REQUIRE(winshm_open("winshm-bench-none", 0, &none) ==
                  WINSHM_E_NOT_FOUND);
    child_run_role(argc, argv, roles);

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            options.blocks = 3;
            options.kills = 10;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            options.only = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else if (strcmp(argv[i], "--system") == 0 && i + 1 < argc) {
            system = argv[++i];
        } else if (strcmp(argv[i], "--list") == 0) {
            list();
            return 0;
        } else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
    }
    if (!bench_cpus(options.cpus)) {
        fprintf(stderr, "two processors are needed\n");
        return 1;
    }
    report_head(&options, system);
    const struct bench_case *what;
    for (uint32_t i = 0; (what = bench_case_at(i)) != NULL; i++) {
        if (options.only != NULL && strstr(what->name, options.only) == NULL)
            continue;
        BENCH_REQUIRE(count < CASES);
        run_case(what, &options, &results[count]);
        report_case(&results[count++]);
    }
    if (json != NULL && !report_write(json, &options, system, results, count)) {
        perror(json);
        return 1;
    }
    return 0;
}
