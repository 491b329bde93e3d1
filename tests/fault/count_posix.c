#include <dirent.h>
#include <unistd.h>

#include "fault.h"
#include "plain.h"

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        return -1;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

void fault_count(struct fault_holdings *holdings)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    holdings->mappings = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "/dev/shm/") != NULL)
            holdings->mappings++;
    if (maps != NULL)
        fclose(maps);
    holdings->handles = count_entries("/proc/self/fd");
    holdings->names = plain_count(name_of(""));
    holdings->blocks = 0;
}

static void move(const char *name, const char *suffix, bool back)
{
    char path[128], aside[160];
    snprintf(path, sizeof path, "/dev/shm/%s%s", name, suffix);
    snprintf(aside, sizeof aside, "%s.aside", path);
    fault_expect((back ? rename(aside, path) : link(path, aside)) == 0,
                 "%s cannot be kept", path);
}

bool fault_leave_names(winshm_region *h, const char *name)
{
    move(name, "", false);
    move(name, ".winshm", false);
    EXPECT_OK(winshm_close(h));
    move(name, "", true);
    move(name, ".winshm", true);
    return true;
}
