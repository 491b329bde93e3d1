/* Which names are accepted, the same on every system. Opening what does not
 * exist tells: a good name is not found, a bad one is refused. */
#include "check.h"
#include "child.h"

struct example {
    const char *name;
    winshm_status status;
};

static const struct example examples[] = {
    {"winshm-no-such-region", WINSHM_E_NOT_FOUND},
    {"Local\\winshm-no-such-region", WINSHM_E_NOT_FOUND},
    {"Global\\winshm-no-such-region", WINSHM_E_NOT_FOUND},
    {"winshm no such region, with: odd (characters)", WINSHM_E_NOT_FOUND},
    {"...", WINSHM_E_NOT_FOUND},
    {".winshmx", WINSHM_E_NOT_FOUND},
    {"x.winshm2", WINSHM_E_NOT_FOUND},
    {"winshm", WINSHM_E_NOT_FOUND},
    {"local", WINSHM_E_NOT_FOUND},
    {"", WINSHM_E_NAME},
    {"Local\\", WINSHM_E_NAME},
    {"Global\\", WINSHM_E_NAME},
    {".", WINSHM_E_NAME},
    {"..", WINSHM_E_NAME},
    {"Local\\.", WINSHM_E_NAME},
    {"Global\\..", WINSHM_E_NAME},
    {"a/b", WINSHM_E_NAME},
    {"/a", WINSHM_E_NAME},
    {"../etc", WINSHM_E_NAME},
    {"a\\b", WINSHM_E_NAME},
    {"\\a", WINSHM_E_NAME},
    {"local\\a", WINSHM_E_NAME},
    {"GLOBAL\\a", WINSHM_E_NAME},
    {"Local\\Local\\a", WINSHM_E_NAME},
    {"Local\\Global\\a", WINSHM_E_NAME},
    {"Session\\1\\a", WINSHM_E_NAME},
    {"a.winshm", WINSHM_E_NAME},
    {"a.WinShm", WINSHM_E_NAME},
    {".winshm", WINSHM_E_NAME},
    {"a.winshm.lock", WINSHM_E_NAME},
    {"a.WINSHM.b", WINSHM_E_NAME},
    {"a.winshm.winshm", WINSHM_E_NAME},
    {"a\nb", WINSHM_E_NAME},
    {"a\x7F", WINSHM_E_NAME},
    {"\x01", WINSHM_E_NAME},
    /* Well-formed UTF-8 at both ends of each length. */
    /* Control characters, too, if only two bytes long; the next one is not. */
    {"\xC2\x80", WINSHM_E_NAME},
    {"a\xC2\x85", WINSHM_E_NAME},
    {"\xC2\x9F", WINSHM_E_NAME},
    {"\xC2\xA0", WINSHM_E_NOT_FOUND},
    {"\xDF\xBF", WINSHM_E_NOT_FOUND},
    {"\xE0\xA0\x80", WINSHM_E_NOT_FOUND},
    {"\xED\x9F\xBF", WINSHM_E_NOT_FOUND},
    {"\xEE\x80\x80", WINSHM_E_NOT_FOUND},
    {"\xEF\xBF\xBD", WINSHM_E_NOT_FOUND},
    {"\xF0\x90\x80\x80", WINSHM_E_NOT_FOUND},
    {"\xF4\x8F\xBF\xBD", WINSHM_E_NOT_FOUND},
    {"pr\xC3\xBC"
     "fen \xE6\xB5\x8B\xE8\xAF\x95 \xF0\x9F\x9A\x80",
     WINSHM_E_NOT_FOUND},
    /* Stray, cut off, overlong, surrogate, too high, not UTF-8 at all. */
    {"\x80", WINSHM_E_NAME},
    {"a\xBF", WINSHM_E_NAME},
    {"\xC3", WINSHM_E_NAME},
    {"\xC3(", WINSHM_E_NAME},
    {"\xE2\x82", WINSHM_E_NAME},
    {"\xE2(\xA1", WINSHM_E_NAME},
    {"\xF0\x9F\x9A", WINSHM_E_NAME},
    {"\xC0\x80", WINSHM_E_NAME},
    {"\xC1\xBF", WINSHM_E_NAME},
    {"\xE0\x9F\xBF", WINSHM_E_NAME},
    {"\xF0\x8F\xBF\xBF", WINSHM_E_NAME},
    {"\xED\xA0\x80", WINSHM_E_NAME},
    {"\xED\xBF\xBF", WINSHM_E_NAME},
    {"\xF4\x90\x80\x80", WINSHM_E_NAME},
    {"\xF5\x80\x80\x80", WINSHM_E_NAME},
    {"\xF8\x88\x80\x80\x80", WINSHM_E_NAME},
    {"\xFE", WINSHM_E_NAME},
    {"\xFF", WINSHM_E_NAME},
    {"Andr\xE9", WINSHM_E_NAME},
};

static void check_name(const char *name, winshm_status expected)
{
    winshm_region *region = (winshm_region *)&region;
    winshm_status status = winshm_open(name, 0, &region);
    if (status != expected)
        fprintf(stderr, "the name is '%s'\n", name);
    CHECK_STATUS(status, expected);
    CHECK(region == NULL);
    if (expected != WINSHM_E_NAME)
        return;
    CHECK_STATUS(winshm_create(name, 1, 0, &region), expected);
    CHECK_STATUS(winshm_open_or_create(name, 1, 0, &region), expected);
    CHECK_STATUS(winshm_create(name, 1, WINSHM_RAW, &region), expected);
    CHECK_STATUS(winshm_open(name, WINSHM_RAW, &region), expected);
    CHECK(region == NULL);
}

/** The longest name, in each name space, really works. */
static void check_length(const char *prefix, const char *unit, winshm_status ok)
{
    char name[300];
    winshm_region *one, *two;
    snprintf(name, sizeof name, "%s%s", prefix, name_of("length-"));
    size_t start = strlen(prefix);
    while (strlen(name) - start + strlen(unit) <= WINSHM_NAME_MAX)
        strcat(name, unit);
    while (strlen(name) - start < WINSHM_NAME_MAX)
        strcat(name, "x");
    CHECK_EQ(strlen(name) - start, 200);
    winshm_status status = winshm_create(name, 10, 0, &one);
    if (status == WINSHM_E_PRIVILEGE) {
        fprintf(stderr, "skipped: the longest name in %s\n    %s\n", prefix,
                winshm_last_message());
    } else {
        CHECK_STATUS(status, ok);
        CHECK_STATUS(winshm_open(name, 0, &two), ok);
        CHECK_OK(winshm_close(two));
        CHECK_OK(winshm_close(one));
    }
    strcat(name, "x");
    CHECK_STATUS(winshm_create(name, 10, 0, &one), WINSHM_E_NAME);
    CHECK_STATUS(winshm_open(name, 0, &one), WINSHM_E_NAME);
}

static void check_spaces(void)
{
    winshm_region *one, *two;
    char local[80], upper[80];
    const char *name = name_of("space");
    snprintf(local, sizeof local, "Local\\%s", name);
    CHECK_OK(winshm_create(name, 10, 0, &one));
    CHECK_STATUS(winshm_create(local, 10, 0, &two), WINSHM_E_EXISTS);
    CHECK_OK(winshm_open(local, 0, &two));
    CHECK_OK(winshm_close(two));
    snprintf(upper, sizeof upper, "%s", name);
    upper[0] = 'W';
    CHECK_STATUS(winshm_open(upper, 0, &two), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_create(upper, 10, 0, &two));
    CHECK_OK(winshm_close(two));
    CHECK_OK(winshm_close(one));
}

int main(void)
{
    char longest[WINSHM_NAME_MAX + 100];
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        check_name(examples[i].name, examples[i].status);
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    check_name(longest, WINSHM_E_NAME);
    longest[WINSHM_NAME_MAX + 1] = '\0';
    check_name(longest, WINSHM_E_NAME);
    longest[WINSHM_NAME_MAX] = '\0';
    check_name(longest, WINSHM_E_NOT_FOUND);
    /* A sequence that begins within the limit and ends beyond it. */
    memcpy(longest + WINSHM_NAME_MAX - 1, "\xC3\xA9", 3);
    check_name(longest, WINSHM_E_NAME);
    check_length("", "x", WINSHM_OK);
    check_length("Local\\", "\xC3\xA9", WINSHM_OK);
    check_length("Global\\", "\xF0\x9F\x9A\x80", WINSHM_OK);
    check_spaces();
    return 0;
}
