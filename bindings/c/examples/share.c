/* share count REGION N | relay REGION FILE | hold REGION | repair REGION */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

struct layout {
    uint64_t counter;
    struct box {
        uint32_t full, length;
    } box[3];
    uint32_t reserved[8], a, b;
    uint8_t gap[4024], bytes[3][262144];
};

static void must(winshm_status status)
{
    if (status != WINSHM_OK)
        exit(fprintf(stderr, "C: %s\n", winshm_last_message()) > 0);
}

int main(int argc, char **argv)
{
    winshm_region *region;
    if (argc < 3)
        return 2;
    must(winshm_open_or_create(argv[2], sizeof(struct layout), 0, &region));
    struct layout *at = winshm_data(region);
    if (strcmp(argv[1], "count") == 0) {
        for (int n = argc > 3 ? atoi(argv[3]) : 0; n > 0; n--) {
            must(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER));
            at->counter++;
            must(winshm_unlock(region, WINSHM_EXCLUSIVE));
        }
        printf("C: added %s\n", argv[3]);
    } else if (strcmp(argv[1], "relay") == 0) {
        FILE *file = fopen(argv[3], "rb");
        for (uint32_t seen, length = 1; file != NULL && length > 0;) {
            must(winshm_change_count(region, &seen));
            must(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER));
            if (!at->box[0].full) {
                length = (uint32_t)fread(at->bytes, 1, sizeof *at->bytes, file);
                at->box[0] = (struct box){1, length};
                must(winshm_notify(region));
            }
            must(winshm_unlock(region, WINSHM_EXCLUSIVE));
            must(winshm_wait(region, seen, WINSHM_FOREVER, NULL));
        }
        printf("C: relayed %ld bytes\n", file != NULL ? ftell(file) : -1);
    } else if (strcmp(argv[1], "hold") == 0) {
        must(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER));
        at->a++; /* Dying here leaves the update half done: b stays behind. */
        puts("C: holding");
        fflush(stdout);
        getchar();
    } else if (winshm_lock(region, WINSHM_EXCLUSIVE, 10000) ==
               WINSHM_E_OWNER_DEAD) {
        at->b = at->a;
        must(winshm_make_consistent(region));
        must(winshm_unlock(region, WINSHM_EXCLUSIVE));
        printf("C: the owner died, repaired, b = %u\n", at->b);
    } else {
        puts("C: nothing to repair");
        return 1;
    }
    return winshm_close(region) != WINSHM_OK;
}
