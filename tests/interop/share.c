/* share count REGION N | relay REGION FILE | hold REGION | repair REGION */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

struct layout {
    uint64_t counter;
    uint32_t full, length, other_boxes[4], reserved[8], a, b;
    uint8_t gap[4024], bytes[3 * 262144];
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
        uint32_t seen = 0, box[2] = {1, file != NULL};
        for (; box[1] > 0; must(winshm_wait(region, seen, 60000, &seen))) {
            must(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER));
            if (!at->full) {
                box[1] = (uint32_t)fread(at->bytes, 1, 262144, file);
                must(winshm_write(region, 8, box, sizeof box, 0));
            }
            must(winshm_unlock(region, WINSHM_EXCLUSIVE));
        }
        printf("C: relayed %ld bytes\n", file != NULL ? ftell(file) : -1);
    } else if (strcmp(argv[1], "hold") == 0) {
        must(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER));
        at->a++; /* Dying here leaves the update half done: b stays behind. */
        puts("C: holding");
        fflush(stdout), getchar();
    } else {
        if (winshm_lock(region, WINSHM_EXCLUSIVE, 10000) != WINSHM_E_OWNER_DEAD)
            return puts("C: nothing to repair") >= 0;
        at->b = at->a;
        must(winshm_make_consistent(region));
        must(winshm_unlock(region, WINSHM_EXCLUSIVE));
        printf("C: the owner died, repaired, b = %u\n", at->b);
    }
    return winshm_close(region) != WINSHM_OK;
}
