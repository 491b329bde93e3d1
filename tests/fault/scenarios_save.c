/* Saving and loading: path is always the old file or the new one, and nothing
 * is left beside it that could be removed. */
#include "fault.h"
#include "files.h"

static const char *path;
static bool older; /* there is a file before each call */

static void set_up(struct stage *s)
{
    fault_set_up_pair(s);
    path = file_of("fault");
    older = false;
}

static void set_up_older(struct stage *s)
{
    set_up(s);
    older = true;
}

static void tear_down(struct stage *s)
{
    remove(path);
    fault_tear_down(s);
}

static void prepare(struct stage *s)
{
    remove(path);
    if (older)
        EXPECT_OK(winshm_save(s->handle, path, 0));
}

static winshm_status save(struct stage *s)
{
    return winshm_save(s->handle, path, FAULT_SHORT_MS);
}

static winshm_status load(struct stage *s)
{
    return winshm_load(s->handle, path, FAULT_SHORT_MS);
}

static winshm_status save_to_folder(struct stage *s)
{
    return winshm_save(s->handle, ".", FAULT_SHORT_MS);
}

static winshm_status save_to_nowhere(struct stage *s)
{
    char nowhere[600];
    snprintf(nowhere, sizeof nowhere, "%s/none/file", path);
    return winshm_save(s->handle, nowhere, FAULT_SHORT_MS);
}

/** True if it could not be known whose the part file is, or not be removed. */
static bool cannot_remove(void)
{
    static const char *const calls[] = {"fcntl",
                                        "fstat",
                                        "fstatat",
                                        "unlinkat",
                                        "GetFileInformationByHandle",
                                        "SetFileInformationByHandle"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (fault_refused(calls[i]))
            return true;
    return false;
}

static void settle(struct stage *s, winshm_status status)
{
    if (file_exists(part_of(path))) {
        fault_expect(status != WINSHM_OK && cannot_remove(),
                     "the part file is left over");
        remove(part_of(path));
    }
    if (older || status == WINSHM_OK)
        EXPECT_OK(winshm_load(s->handle, path, 0));
    else if (file_exists(path)) /* it is only that the folder is not flushed */
        fault_expect(fault_refused("fsync"), "there is a file");
}

/** What a load could not finish, another one does. */
static void settle_load(struct stage *s, winshm_status status)
{
    (void)status;
    EXPECT_OK(winshm_load(s->other, path, 0));
}

static void settle_refused(struct stage *s, winshm_status status)
{
    (void)s;
    (void)status;
    fault_expect(!file_exists("..winshm-part"), "the part file is left over");
}

const struct scenario fault_save[] = {
    {.name = "save",
     .function = "winshm_save",
     .call = save,
     .set_up = set_up,
     .tear_down = tear_down,
     .prepare = prepare,
     .settle = settle},
    {.name = "save: over an older file",
     .function = "winshm_save",
     .call = save,
     .set_up = set_up_older,
     .tear_down = tear_down,
     .prepare = prepare,
     .settle = settle},
    {.name = "save: to a folder",
     .function = "winshm_save",
     .call = save_to_folder,
     .set_up = set_up,
     .tear_down = tear_down,
     .settle = settle_refused,
     .expected = WINSHM_E_KIND},
    {.name = "save: to no folder",
     .function = "winshm_save",
     .call = save_to_nowhere,
     .set_up = set_up,
     .tear_down = tear_down,
     .expected = WINSHM_E_SYSTEM},
    {.name = "load",
     .function = "winshm_load",
     .call = load,
     .set_up = set_up_older,
     .tear_down = tear_down,
     .prepare = prepare,
     .settle = settle_load},
    {.name = "load: no file",
     .function = "winshm_load",
     .call = load,
     .set_up = set_up,
     .tear_down = tear_down,
     .prepare = prepare,
     .expected = WINSHM_E_NOT_FOUND},
    {.name = NULL},
};
