/* Usage: bench [--blocks N] [--ms N] [--kills N] [--only PART]
 * [--growth | --tails] [--list]
 *
 * Started by bench.py, which reads the lines of JSON that it prints; alone it
 * does as well. --growth measures the curves in place of the cases, --tails the
 * longest waits for a lock. */
#include "run.h"
#include "tails.h"

static const struct role roles[] = {{"ours", run_child_ours},
                                    {"peer", run_child_peer},
                                    {"floor", run_child_floor},
                                    {"growth", growth_child},
                                    {"tails", tails_child},
                                    {NULL, NULL}};

static void list(void)
{
    for (uint32_t i = 0; bench_case_at(i) != NULL; i++)
        printf("%s\n", bench_case_at(i)->name);
}

static void cases(const struct run_options *options)
{
    static struct case_result result;
    const struct bench_case *what;
    for (uint32_t i = 0; (what = bench_case_at(i)) != NULL; i++) {
        if (options->only != NULL && strstr(what->name, options->only) == NULL)
            continue;
        run_case(what, options, &result);
        report_case(&result);
    }
}

int main(int argc, char **argv)
{
    struct run_options options = {
        .blocks = 9, .budget = 200 * 1000 * 1000, .kills = 200};
    bool growth = false, tails = false;

    /* The library looks once at how many processors it may use. It would see
     * only one after the pinning, and would not wait by spinning then. */
    winshm_region *none;
    BENCH_REQUIRE(winshm_open("winshm-bench-none", 0, &none) ==
                  WINSHM_E_NOT_FOUND);
    child_run_role(argc, argv, roles);

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--blocks") == 0 && i + 1 < argc) {
            options.blocks = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--ms") == 0 && i + 1 < argc) {
            options.budget = strtoull(argv[++i], NULL, 10) * 1000000;
        } else if (strcmp(argv[i], "--kills") == 0 && i + 1 < argc) {
            options.kills = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            options.only = argv[++i];
        } else if (strcmp(argv[i], "--growth") == 0) {
            growth = true;
        } else if (strcmp(argv[i], "--tails") == 0) {
            tails = true;
        } else if (strcmp(argv[i], "--list") == 0) {
            list();
            return 0;
        } else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
    }
    BENCH_REQUIRE(options.blocks >= 1 && options.blocks <= RUN_BLOCKS);
    if (!bench_cpus(options.cpus)) {
        fprintf(stderr, "two processors are needed\n");
        return 1;
    }
    if (tails)
        tails_run(options.blocks, options.budget, options.only);
    else if (growth)
        growth_run(options.blocks, options.only, options.cpus);
    else
        cases(&options);
    return 0;
}
